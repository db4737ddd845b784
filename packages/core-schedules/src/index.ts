// The contract: levels, states, denoisers
export { CLEAN, isLevelList, lambdaOf, perLevel, relativeSigma, sigmaLevel, snrOf, type NoiseLevel, type NoiseLevels } from './level.ts';
export type { Algebra, Coefficient, Denoiser, DetailedPrediction, ErrorScale, Term } from './algebra.ts';
export { arrayAlgebra, type ArrayAlgebra, type ArrayAlgebraOptions, type FloatArray } from './array-algebra.ts';
export { tensorAlgebra, type TensorAlgebraOptions } from './tensor-algebra.ts';

// Noise processes
export { defineNoiseProcess, straightFlow, varianceExploding, variancePreserving, type Geometry, type NoiseProcess, type NoiseProcessDefinition, type TimeRange } from './noise-process.ts';
export { discreteVp, type BetaSequenceName, type DiscreteNoiseProcess, type DiscreteVpOptions } from './processes/discrete-vp.ts';
export { edm, type EdmOptions } from './processes/edm.ts';
export { flow } from './processes/flow.ts';
export { vpCosine, type VpCosineOptions } from './processes/vp-cosine.ts';
export { vpLinear, type VpLinearOptions } from './processes/vp-linear.ts';

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
export { defineSpacing, type Spacing, type SpacingDefinition, type SpacingOptions } from './spacings/spacing.ts';
export { karras, karrasSigmas, type KarrasOptions, type KarrasSigmasOptions } from './spacings/karras.ts';
export { leading, type LeadingOptions } from './spacings/leading.ts';
export { linspaceTimes } from './spacings/linspace.ts';
export type { SigmaRangeOptions } from './spacings/sigma-range.ts';
export { trailing } from './spacings/trailing.ts';
export { uniformLambda } from './spacings/uniform-lambda.ts';

// Differential equations
export { dormandPrince, type DormandPrinceOptions, type DormandPrinceResult, type Rate, type RateFunction } from './maths/dormand-prince.ts';

// By name
export { createRegistry, type Factory, type Registry } from './registry.ts';
export { processes, spacings } from './registries.ts';
