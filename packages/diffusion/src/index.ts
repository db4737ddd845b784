export { noiseRecipe, noiseSchema, type NoiseConfig, type NoiseParts, type NoiseRecipe } from './noise-recipe.ts';
export { diffusionTask } from './diffusion-task.ts';
export type { DiffusionBatch, DiffusionState, DiffusionTaskOptions } from './diffusion-task.ts';
export { networkDenoiser, type NetworkDenoiser, type NetworkDenoiserOptions } from './network-denoiser.ts';
export { learnedUncertainty, type LearnedUncertainty, type UncertainParams } from './learned-uncertainty.ts';
