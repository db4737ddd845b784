export { checkGuidance, defineGuidance, type Guidance, type GuidanceInput } from './guidance.ts';
export * from './rules/index.ts';
export { rescaled, type RescaleOptions } from './rescale.ts';
export { intervalScale, type IntervalOptions } from './scales/interval.ts';
export { rampScale, type RampOptions } from './scales/ramp.ts';
export type { Scale } from './scales/scale.ts';
export { weightedDenoiser, type WeightedCondition, type WeightedOptions } from './weighted.ts';
