// Models
export type { DiffusionModel } from './diffusion-model.ts';
export { loadDiffusionFolder, saveDiffusionFolder, type SaveDiffusionOptions } from './diffusion-folder.ts';
export { EDM_DEFAULTS, type EdmDescription } from './edm-description.ts';
export { imageBackbone, type ImageBackbone, type ImageBackboneOptions } from './image-backbone.ts';
export type { WeightDType } from './weights.ts';

// Labels
export { labelChoices, type Category, type Labels } from './labels.ts';
export { drawLabels, type DrawLabelsOptions } from './draw-labels.ts';

// Sampling
export { sampleImages, type SampleImagesOptions, type SampleResult, type SampleStep } from './sample-images.ts';
export { compileForward, type Forward, type ForwardOptions } from './forward.ts';

// Training runs
export { diffusionRunFromConfig, type DiffusionRun, type DiffusionRunOptions } from './diffusion-run.ts';
export { loadModel, loadRunModel, type CheckpointKind, type RunModel, type RunWeights } from './run-model.ts';
export { describeCheckpoint, type CheckpointDescription, type PrefixSummary } from './describe-checkpoint.ts';
