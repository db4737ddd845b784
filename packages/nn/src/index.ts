export { adapted, type Adapter } from './adapters/adapted.ts';
export {
  deltaOf,
  type Factor,
  type FullDelta,
  type HadamardDelta,
  type KroneckerDelta,
  type LowRankDelta,
  type WeightDelta,
} from './adapters/weight-delta.ts';
export { embeddingMlp, type EmbeddingMlpConfig, type EmbeddingMlpParams } from './blocks/embedding-mlp.ts';
export { firDoubled, firHalved } from './blocks/fir-resample.ts';
export { fourierFeatures, type FourierFeaturesConfig, type FourierFeaturesParams } from './blocks/fourier-features.ts';
export {
  forceFilterNorms,
  mpConcat,
  mpConv,
  mpFourierFeatures,
  mpLinear,
  mpSilu,
  mpSum,
  pixelNorm,
  type MpFourierParams,
  type MpLayerConfig,
  type MpLayerParams,
} from './blocks/magnitude-preserving.ts';
export { adaLayerNormContinuous, gated, modulate, modulation, type ModulationConfig, type ModulationParams } from './blocks/modulation.ts';
export {
  jointAttention,
  type JointAttentionConfig,
  type JointAttentionInputs,
  type JointAttentionParams,
} from './blocks/joint-attention.ts';
export { rotaryTable, rotate, type RotaryConfig, type RotaryTable } from './blocks/rotary.ts';
export { pixelAttention, type PixelAttentionConfig, type PixelAttentionParams } from './blocks/pixel-attention.ts';
export { pixelShuffle, pixelUnshuffle } from './blocks/pixel-shuffle.ts';
export { doubled, downsample, halved, upsample, type ResampleParams } from './blocks/resample.ts';
export { transformer2d, type Transformer2dConfig, type Transformer2dParams } from './blocks/transformer-2d.ts';
export {
  flowWithin,
  transformerBlock,
  type Additions,
  type TransformerBlockConfig,
  type TransformerBlockParams,
  type TransformerFlow,
} from './blocks/transformer-block.ts';
export { resnetBlock, type ResnetBlockConfig, type ResnetBlockInputs, type ResnetBlockParams } from './blocks/resnet-block.ts';
export {
  feedForward,
  feedForwardActivations,
  type FeedForwardActivation,
  type FeedForwardConfig,
  type FeedForwardParams,
} from './blocks/feed-forward.ts';
export { classNamed, defineClass, findClass, type ClassPlugin, type FindClassOptions } from './config/class-plugin.ts';
export { channelBounds, levelBounds, sampleSize } from './config/picture-fields.ts';
export { completeConfig, readJsonConfig, writeJsonConfig, type ConfigOf, type JsonConfigOptions } from './config/json-config.ts';
export {
  constant,
  fanInUniform,
  fans,
  kaimingNormal,
  kaimingUniform,
  normal,
  uniform,
  xavierNormal,
  xavierUniform,
  type Initializer,
} from './init.ts';
export { activation, activations, type ActivationName } from './layers/activation.ts';
export { attention, type AttentionConfig, type AttentionInputs, type AttentionParams } from './layers/attention.ts';
export { batchNorm, type BatchNorm, type BatchNormBuffers, type BatchNormConfig, type BatchNormParams } from './layers/batch-norm.ts';
export { conv, convTranspose, type ConvConfig, type ConvParams, type ConvTransposeConfig } from './layers/conv.ts';
export { dropout } from './layers/dropout.ts';
export { embedding, type EmbeddingConfig, type EmbeddingParams } from './layers/embedding.ts';
export { linear, type LinearConfig, type LinearInit, type LinearParams } from './layers/linear.ts';
export { groupNorm, layerNorm, rmsNorm, type GroupNormConfig, type NormConfig, type NormParams } from './layers/norm.ts';
export { sequential } from './layers/sequential.ts';
export { perItem, sinusoidalEmbedding, type SinusoidalConfig } from './layers/sinusoidal.ts';
export { evalMode, trainMode, type EvalMode, type Mode, type TrainMode } from './mode.ts';
export { defineModule, functional, scoped, type Layer, type Module, type NoParams, type ParamsOf } from './module.ts';
export { parameterCount, parameterShapes, shapesOnly } from './shapes-only.ts';
export { fromStateDict, inFloat32, toStateDict, type FromStateDictOptions, type StateEntry } from './state-dict.ts';
export { listenAt, listener, tapped, tapsWithin, type Taps } from './taps.ts';
export {
  fitWeights,
  type FitWeightsOptions,
  type UnreadWeight,
  type WeightAccount,
  type WeightEntry,
  type WeightRename,
  type WeightRules,
} from './weight-rules.ts';

export { adam, adamW, type AdamOptions, type AdamState } from './optim/adam.ts';
export { addGradients, meanGradients } from './optim/accumulate.ts';
export { CLIP_LIMITS, clipByGlobalNorm, clipByValue, globalNorm } from './optim/clip.ts';
export {
  constantSchedule,
  cosineSchedule,
  inverseSqrtSchedule,
  linearSchedule,
  oneCycleSchedule,
  piecewiseSchedule,
  sequenceSchedules,
  withWarmUp,
  type OneCycleOptions,
  type RampOptions,
  type Schedule,
} from './optim/learning-rate.ts';
export { lion, type LionOptions, type LionState } from './optim/lion.ts';
export { type DecayFilter, type NamedTensors, type Optimizer, type UpdateOptions } from './optim/optimizer.ts';
export { rAdam, type RAdamOptions } from './optim/radam.ts';
export { sgd, type SgdOptions, type SgdState } from './optim/sgd.ts';

export { updateAverage } from './ema/average.ts';
export {
  constantDecay,
  emaWeight,
  halfLifeDecay,
  inversePowerDecay,
  powerDecay,
  warmUpDecay,
  type Decay,
  type HalfLifeOptions,
} from './ema/decay.ts';
export { exponentOfStd, stdOfExponent } from './ema/power-profile.ts';
export { reconstructAverage, reconstructionWeights, type AverageTime, type EmaSnapshot } from './ema/reconstruct.ts';

export { binaryCrossEntropyWithLogits, crossEntropyLoss, type CrossEntropyOptions } from './losses/classification.ts';
export { gaussianKl, gaussianNllLoss, klDivergence, type Gaussian, type GaussianNllOptions } from './losses/distribution.ts';
export { type LossOptions } from './losses/reduce.ts';
export { huberLoss, maeLoss, mseLoss, pseudoHuberLoss, smoothL1Loss } from './losses/regression.ts';
export { cosineLoss, cosineSimilarity, type CosineOptions } from './losses/similarity.ts';
