export { gaussianMoments, measureOrder, measureWeakOrder, orderGrid, type Moments, type OrderMeasurement } from './measure.ts';
export { samplerChecks, testSampler, type SamplerCheck, type SamplerTestOptions } from './test-sampler.ts';
