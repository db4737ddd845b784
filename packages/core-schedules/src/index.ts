// The contract: levels, states, denoisers
export { CLEAN, isLevelList, lambdaOf, perLevel, relativeSigma, sigmaLevel, snrOf, type NoiseLevel, type NoiseLevels } from './level.ts';
export type { Algebra, Coefficient, Denoiser, DetailedPrediction, ErrorScale, Term } from './algebra.ts';
export { arrayAlgebra, type ArrayAlgebra, type ArrayAlgebraOptions, type FloatArray } from './array-algebra.ts';
export { tensorAlgebra, type TensorAlgebraOptions } from './tensor-algebra.ts';

// Noise processes
export {
  defineNoiseProcess, isStraight, isVariancePreserving, straightFlow, varianceExploding, variancePreserving,
  type Geometry, type NoiseProcess, type NoiseProcessDefinition, type ProcessRates, type ProcessSde, type TimeRange,
} from './noise-process.ts';
export * from './processes/index.ts';
export type { BetaOptions, BetaSequenceName } from './chain/betas.ts';
export type { LinearBetaOptions } from './maths/linear-beta.ts';
export { transition, type Transition } from './transition.ts';

// Predictions and preconditioning
export { convertPrediction, predictionConversion, predictions, type Conversion, type ConvertOptions, type Prediction } from './prediction.ts';
export { precondition, type Preconditioning, type PreconditioningCoefficients, type PreconditionOptions, type RawNetwork } from './preconditioning/preconditioning.ts';
export { edmPreconditioning, type EdmPreconditioningOptions } from './preconditioning/edm.ts';
export { predictionPreconditioning, type PredictionPreconditioningOptions } from './preconditioning/from-prediction.ts';
export { vePreconditioning } from './preconditioning/ve.ts';

// Training
export { drawLevels, logitNormalTimes, logNormalSigmas, uniformTimes, type DrawOptions, type LogitNormalOptions, type LogNormalOptions, type NoiseDistribution } from './noise-distribution.ts';
export { edmWeight, minSnrWeight, snrPlusOneWeight, snrWeight, truncatedSnrWeight, uniformWeight, type LossWeight } from './loss-weight.ts';
export { denoisingLoss, trainingCoefficients, type DenoisingLoss, type DenoisingLossOptions, type TrainingCoefficients, type TrainingCoefficientsOptions } from './objective.ts';

// Spacings
export { defineSpacing, type Spacing, type SpacingDefinition, type SpacingOptions } from './grid/spacing.ts';
export { cutLevels, withoutPenultimate, type Cut } from './grid/cut.ts';
export type { SigmaRangeOptions } from './grid/sigma-range.ts';
export * from './spacings/index.ts';

// Differential equations
export { dormandPrince, type DormandPrinceOptions, type DormandPrinceResult, type Rate, type RateFunction } from './maths/dormand-prince.ts';

// By name
export { createRegistry, type Factory, type Registry } from './registry.ts';
