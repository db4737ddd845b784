export { inBands, type BandedAutoencoder } from './banded-autoencoder.ts';
export type { BandedCoder, BandsCall, BandsOptions } from './convolutional/bands/index.ts';
export { isCoded, type CodedAutoencoder, type Quantized } from './coded-autoencoder.ts';
export { perplexity, usage } from './code-statistics.ts';
export { defineAutoencoder, type AutoencoderPlugin } from './define-autoencoder.ts';
export { gaussianPosterior } from './gaussian-posterior.ts';
export { describeMemory, estimateMemory, tileWithin, type MemoryEstimate, type MemoryQuestion } from './memory/estimate-memory.ts';
export { type LatentFamilyName } from './previews/factors.ts';
export { latentFamilyOf, latentPreview } from './previews/latent-preview.ts';
// The autoencoders themselves, and `autoencoderPlugins`
export * from './plugins.ts';
export { decodeInTiles, encodeInTiles, type LastTile, type TileProgress, type TilesOptions } from './tiling/index.ts';
export { autoencoderFromConfig, findAutoencoder } from './registry.ts';
export {
  checkFits,
  defineRegulariser,
  type Bottleneck,
  type BottleneckInput,
  type Regulariser,
  type RegulariserBuffers,
  type RegulariserStep,
} from './regulariser.ts';
export { defineReconstructionLoss, type ReconstructionLoss, type ReconstructionPair } from './reconstruction-loss.ts';
// Regularisers and losses themselves, and their registries
export * from './regularisers/index.ts';
export * from './losses/index.ts';
export { adversarialLoss, hingeLoss } from './discriminator/hinge.ts';
export {
  patchDiscriminator,
  type PatchDiscriminator,
  type PatchDiscriminatorBuffers,
  type PatchDiscriminatorConfig,
  type PatchDiscriminatorParams,
  type Verdict,
} from './discriminator/patch-discriminator.ts';
export {
  autoencoderTask,
  type AutoencoderBatch,
  type AutoencoderLearner,
  type AutoencoderState,
  type AutoencoderTaskOptions,
  type DiscriminatorLearner,
  type DiscriminatorOptions,
} from './training/autoencoder-task.ts';
export type { TrainedParams } from './training/autoencoder-loss.ts';
export {
  jointStatistics,
  latentRemarks,
  latentStatistics,
  type LatentStatistics,
  type LatentStatisticsMeter,
} from './statistics/latent-statistics.ts';
export { scaledLatents, unscaledLatents } from './statistics/scaled-latents.ts';
export { initLpips, lpipsDistance, lpipsWeights, lpipsWeightRules, type LpipsParams } from './lpips/lpips.ts';
export type { Vgg16Params } from './lpips/vgg16.ts';
