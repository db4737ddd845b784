export { arrayAlgebra, type ArrayAlgebra, type ArrayAlgebraOptions, type FloatArray } from './array-algebra.ts';
export { dynamicallyThresholded, type DynamicThresholdOptions } from './dynamic-threshold.ts';
export { tensorAlgebra, type TensorAlgebraOptions } from './tensor-algebra.ts';
export { cosineTransform, inFrequencies, tensorCosineTransform, type CosineTransform, type PictureShape } from './cosine-transform.ts';

// Noise processes
export {
  defineNoiseProcess,
  isStraight,
  isVariancePreserving,
  straightFlow,
  varianceExploding,
  variancePreserving,
  type Geometry,
  type NoiseProcess,
  type NoiseProcessDefinition,
  type ProcessRates,
  type ProcessSde,
  type SchedulerTwin,
  type TimeRange,
} from './noise-process.ts';
export * from './processes/index.ts';

// Processes whose alpha and sigma are matrices
export { blurring, type BlurLevel, type Blurring, type BlurringOptions } from './matrix-processes/blurring.ts';
export {
  criticallyDamped,
  type CriticallyDamped,
  type CriticallyDampedOptions,
  type PairLevel,
} from './matrix-processes/critically-damped.ts';
export { addMatrix2, inverseMatrix2, multiplyMatrix2, type Matrix2 } from './maths/matrix2.ts';
export type { BetaOptions, BetaSequenceName } from './chain/betas.ts';
export type { LinearBetaOptions } from './maths/linear-beta.ts';
export { transition, type Transition } from './transition.ts';
export {
  imageTokens,
  resolutionFlowShift,
  sequenceMu,
  shiftOfMu,
  type ImageTokensOptions,
  type ResolutionOptions,
  type SequenceMuOptions,
} from './flow-shift.ts';
export { resolutionShift } from './resolution-shift.ts';

// Interpolants between two distributions
export { gammas, type Gamma, type GammaName } from './interpolants/gamma.ts';
export {
  interpolant,
  interpolantDrift,
  interpolantVelocity,
  type Interpolant,
  type InterpolantEstimate,
  type InterpolantFieldOptions,
  type InterpolantOptions,
  type InterpolantParts,
} from './interpolants/interpolant.ts';

// Predictions and preconditioning
export {
  convertPrediction,
  predictionConversion,
  predictions,
  type Conversion,
  type ConvertOptions,
  type Prediction,
} from './prediction.ts';
export { denoiserOfScore, scoreOf, type Score } from './tweedie.ts';
export { velocityFromX0, x0FromVelocity } from './velocity.ts';
export {
  precondition,
  type Preconditioning,
  type PreconditioningCoefficients,
  type PreconditionOptions,
  type RawNetwork,
} from './preconditioning.ts';
export * from './preconditionings/index.ts';

// Training: which levels
export { defineNoiseDistribution, type NoiseDistribution } from './noise-distribution.ts';
export { drawLevels, drawUniforms, spreads, type DrawOptions, type Spread } from './drawing/draw.ts';
export {
  bandProbabilities,
  drawByImportance,
  lossHistory,
  recordLosses,
  type ImportanceDraws,
  type ImportanceOptions,
  type LossHistory,
  type LossHistoryOptions,
  type RecordedLosses,
} from './drawing/importance.ts';
export type { TruncatedOptions } from './distribution-parts/truncated.ts';
export * from './distributions/index.ts';

// Training: what they count
export { defineLossWeight, type LossWeight } from './loss-weight.ts';
export * from './weights/index.ts';
export { likelihoodWeight } from './objectives/likelihood-weight.ts';
export { plainWeight } from './objectives/plain-weight.ts';

// Training: objectives
export {
  denoisingLoss,
  trainingCoefficients,
  type DenoisingLoss,
  type DenoisingLossOptions,
  type TrainingCoefficients,
  type TrainingCoefficientsOptions,
} from './objectives/denoising.ts';
export { discretisedLogLikelihood, discretisedLogProbability, type DiscretisedDecoderOptions } from './objectives/discretised-decoder.ts';
export {
  flowMatchingCoefficients,
  flowMatchingLoss,
  flowMatchingPath,
  type FlowMatchingCoefficients,
  type FlowMatchingCoefficientsOptions,
  type FlowMatchingLossOptions,
  type FlowMatchingPath,
  type FlowMatchingPathOptions,
} from './objectives/flow-matching.ts';
export { takeItems, transportPairing, type TransportPairingOptions } from './objectives/transport-pairing.ts';
export {
  uncertainLoss,
  uncertaintyHead,
  type UncertainLossOptions,
  type UncertaintyHead,
  type UncertaintyHeadOptions,
  type UncertaintyParams,
} from './objectives/uncertainty.ts';
export {
  hybridLoss,
  interpolateLogVariance,
  variationalCoefficients,
  variationalLoss,
  type HybridLoss,
  type HybridLossOptions,
  type LearnedVarianceOutput,
  type VariationalCoefficients,
  type VariationalCoefficientsOptions,
  type VariationalLossOptions,
} from './objectives/variational.ts';

// Likelihood
export { bitsPerDimension, dequantise, type BitsPerDimensionOptions } from './likelihood/bits-per-dimension.ts';
export { logLikelihood, type LogLikelihood, type LogLikelihoodOptions } from './likelihood/log-likelihood.ts';
export { networkDerivative, type NetworkDerivativeOptions } from './likelihood/network-derivative.ts';
export {
  probabilityFlow,
  type FlowAccuracy,
  type ProbabilityFlowOptions,
  type ProbabilityFlowResult,
} from './likelihood/probability-flow.ts';
export {
  drawProbes,
  exactTrace,
  finiteDifference,
  hutchinsonTrace,
  type DenoiserDerivative,
  type ExactTraceOptions,
  type FiniteDifferenceOptions,
  type HutchinsonTraceOptions,
  type ProbeOptions,
  type TracedDenoiser,
} from './likelihood/trace.ts';
export {
  variationalBound,
  type ReverseVariance,
  type VariationalBound,
  type VariationalBoundOptions,
} from './likelihood/variational-bound.ts';

// Figures
export {
  cutOffFrequency,
  noisySpectrum,
  powerSpectrum,
  type PowerSpectrum,
  type PowerSpectrumOptions,
} from './diagnostics/power-spectrum.ts';
export { diffusedDensity, type DiffusedDensityOptions } from './diagnostics/diffused-density.ts';

// Small exact solvers
export { linearAssignment } from './maths/linear-assignment.ts';

// Differential equations
export {
  dormandPrince,
  type DormandPrinceOptions,
  type DormandPrinceResult,
  type Rate,
  type RateFunction,
} from './maths/dormand-prince.ts';

// Spacings
export { defineSpacing, type Spacing, type SpacingDefinition, type SpacingOptions } from './grid/spacing.ts';
export { cutLevels, withoutPenultimate, type Cut } from './grid/cut.ts';
export type { SigmaRangeOptions } from './grid/sigma-range.ts';
export * from './spacings/index.ts';
export { betaQuantile, incompleteBeta, type BetaShape } from './maths/incomplete-beta.ts';
