export { samplerIdentities, type Identity } from './identities.ts';
export { measureTolerance, type Accuracy, type ToleranceRow } from './accuracy.ts';
export {
  gaussianMoments,
  measureOrder,
  measureWeakOrder,
  orderGrid,
  type Moments,
  type MomentsOptions,
  type OrderMeasurement,
} from './measure.ts';
export { samplerChecks, testSampler, type SamplerCheck, type SamplerTestOptions } from './test-sampler.ts';
export { withParts } from './with-parts.ts';
export { agrees, caseName, compareCase, runCase, type Comparison, type GoldenCase, type GoldenFile } from './diffusers/golden-case.ts';
export { liveLife, outcomeDifference, type GoldenLife, type GoldenLifeFile, type Life, type Outcome } from './diffusers/golden-life.ts';
export { compatCoverage, type CoverageRow } from './diffusers/coverage.ts';
export { compatChoices, type ChoiceRow } from './diffusers/choices.ts';
export {
  compareKDiffusion,
  K_DIFFUSION_TOLERANCE,
  kDiffusionCoverage,
  kDiffusionFunctions,
  type KDiffusionCase,
  type KDiffusionComparison,
  type KDiffusionGolden,
  type KDiffusionRow,
} from './k-diffusion/golden-case.ts';
