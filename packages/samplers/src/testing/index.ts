export { samplerIdentities, type Identity } from './identities.ts';
export type { Accuracy } from './accuracy.ts';
export { gaussianMoments, measureOrder, measureWeakOrder, orderGrid, type Moments, type MomentsOptions, type OrderMeasurement } from './measure.ts';
export { samplerChecks, testSampler, type SamplerCheck, type SamplerTestOptions } from './test-sampler.ts';
export { withParts } from './with-parts.ts';
