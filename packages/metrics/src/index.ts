// Features of pictures and clips
export { checkSameFeatures, featureSet, joinFeatures, pickItems, type FeatureInfo, type FeatureSet } from './features/feature-set.ts';
export { covariance, mergeMoments, momentsOf, noMoments, type Moments } from './features/moments.ts';
export {
  pictureFeatures,
  type FeatureExtractor,
  type FeatureRunOptions,
  type NetworkArray,
  type PictureFeaturesOptions,
} from './features/extractor.ts';
export { describeInput, preparePictures, type PictureInput } from './features/picture-input.ts';
export { resizeFilters, type ResizeFilter } from './features/resample.ts';
export { clipFeatures, type ClipFeaturesOptions } from './features/clip-features.ts';

// Distances between sets
export { frechetDistance, type FrechetDistance } from './distances/frechet.ts';
export { extrapolatedFrechet, type ExtrapolatedDistance, type ExtrapolateOptions } from './distances/extrapolate.ts';
export {
  kernelDistance,
  unbiasedDiscrepancy,
  type DiscrepancyOptions,
  type FeatureKernel,
  type KernelDistance,
  type KernelDistanceOptions,
} from './distances/kernel.ts';
export type { ProductOptions } from './distances/products.ts';
export { nearestItems, type Nearest, type NeighbourOptions } from './neighbours/nearest.ts';
export { precisionRecall, type PrecisionRecall, type PrecisionRecallOptions } from './neighbours/precision-recall.ts';
export { memorisation, type Memorisation, type MemorisationOptions } from './neighbours/memorisation.ts';

// Scores
export { classScore, mergeTallies, noTally, scoreOfTally, tallyOf, type ClassScore, type ClassTally } from './scores/class-score.ts';
export { captionScore, type CaptionScale, type CaptionScore, type Embeddings } from './scores/caption-score.ts';
export type { Pictures } from './pictures/pair.ts';
export { psnr } from './pictures/psnr.ts';
export { ssim } from './pictures/ssim.ts';
export { mergeSpectra, noSpectrum, spectralDistance, spectrumOf, type SpectralDistance, type Spectrum } from './spectra/spectrum.ts';
export { straightness } from './paths/straightness.ts';

// Judges
export type { JudgeArchitecture, JudgeHead } from './judges/architecture.ts';
export { judgeNetwork, type JudgeNetwork, type JudgeParams, type Words } from './judges/network.ts';
export { judgeTask, type JudgeBatch, type JudgeState, type JudgeTaskOptions } from './judges/judge-task.ts';
export { judgeInput, makeJudge, type ClassProbabilities, type Judge, type JudgeOptions } from './judges/judge.ts';
export { judgeRecordSchema, parseJudgeRecord, type JudgeRecord } from './judges/record.ts';
export { refuseDependentJudge, type TrainingInfluence } from './judges/independence.ts';
export { vocabularyOf } from './judges/words.ts';

// Metrics by name
export {
  defineMetric,
  type Metric,
  type MetricDefinition,
  type MetricInput,
  type MetricNeed,
  type MetricOptions,
  type MetricSide,
  type MetricValue,
} from './metric.ts';
export * from './metrics/index.ts';

// Samples beside what one knows
export { gaussianFeatures, gaussianPictures, type GaussianOptions } from './evaluation/gaussian.ts';
export {
  evaluatePictures,
  type Contestant,
  type EvaluatePicturesOptions,
  type EvaluationRow,
  type PictureEvaluation,
} from './evaluation/evaluate-pictures.ts';
export { evaluationTable } from './evaluation/table.ts';
