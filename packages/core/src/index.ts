// Noise levels and the arithmetic of states
export {
  checkLevel,
  CLEAN,
  isLevelList,
  lambdaOf,
  perLevel,
  relativeSigma,
  sigmaLevel,
  snrOf,
  type NoiseLevel,
  type NoiseLevels,
} from './level.ts';
export type { Algebra, Coefficient, ErrorScale, Term } from './algebra.ts';

// Denoisers
export { checkDenoiser, combineDenoisers, defineDenoiser, deriveDenoiser, requirePullback } from './denoiser.ts';
export type { Asked, Denoiser, DenoiserDefinition, Derivation, DetailedPrediction, Pullback } from './denoiser.ts';
export { bindCondition, defineConditionalDenoiser, deriveConditionalDenoiser } from './conditional-denoiser.ts';
export type { ConditionalDenoiser, ConditionalDenoiserDefinition } from './conditional-denoiser.ts';

// Sampling
export { defineSampler, emptyState } from './sampler.ts';
export type { DetailPart, Evaluation, Sampler, SamplerDefinition, SamplerState, StepInput, StepOutput } from './sampler.ts';
export type { NoiseInterval, NoiseRequest, NoiseSource } from './noise-source.ts';
export type { FiniteCheck, Run, RunOptions, RunProgress, RunStep } from './run.ts';

// Networks, and what they are told
export {
  checkConditionNames,
  checkConditions,
  dropConditions,
  maskOf,
  type Conditions,
  type ConditionSpec,
  type ConditionSpecs,
} from './conditions.ts';
export { defineNetwork, type Network, type NetworkArguments, type NetworkInfo, type NetworkInputs } from './network.ts';
export { listenAt, tapped, type Taps } from '@langevin/nn';
export type { Autoencoder, AutoencoderInfo, Posterior } from './autoencoder.ts';

// Views
export { cameraPosition, checkCamera, lookAt, MAX_SIDE, type Camera } from './camera.ts';
export { checkViews, type Color, type RenderedMaps, type RenderedViews, type Renderer, type View } from './view.ts';

// Plugins
export { createRegistry, declareOptions, type Factory, type Registry } from './registry.ts';
