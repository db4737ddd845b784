// Models
export type { DiffusionModel } from './diffusion-model.ts';
export { loadDiffusionFolder, saveDiffusionFolder, type LoadModelOptions, type SaveDiffusionOptions } from './diffusion-folder.ts';
export { modelPackage } from './model-package.ts';
export { imageNetwork, labelCount, pictureForm, type ImageNetworkOptions, type PictureForm } from './image-network.ts';
export { readWeights, type ReadWeightsOptions, type WeightDType } from './weights.ts';
export { widened } from './widened.ts';

// Adapters
export {
  openAdapter,
  peftSettings,
  readAdapter,
  type AdapterAccount,
  type AdapterFile,
  readTextEmbedding,
  type AdapterTarget,
  type ModuleSettings,
  type PeftSettings,
  type ReadAdapter,
  type ReadAdapterOptions,
  type TextEmbedding,
} from './adapters/index.ts';

// Labels
export { labelChoices, type Category, type Labels } from './labels.ts';
export { drawLabels, type DrawLabelsOptions } from './draw-labels.ts';

// Sampling
export { sampleImages, usualSampler, usualSpacing, type SampleResult, type SampleStep } from './sample-images.ts';
export type { SampleBatch, SampleImagesOptions } from './sample-options.ts';

// Pictures of prompts
export { generate, type GeneratePart, type GenerateResult, type GenerateStep } from './generate/generate.ts';
export { openModel, products, type OpenModelOptions } from './generate/open-model.ts';
export type { GenerateOptions } from './generate/options.ts';
export { clipSkipCounts, type ClipSkipCount, type PromptFormOptions } from './generate/prompt-options.ts';
export { onnxParts, type OnnxPart, type OnnxPartsOptions } from './generate/onnx-parts.ts';
export { saveModel, type SaveModelOptions } from './generate/save-model.ts';
export { notesOf, recipeOf, recipeOfNotes, type PictureRecipe } from './generate/picture-notes.ts';
export { pictureDigest } from './generate/picture-digest.ts';
export type { SamplerWords } from './generate/sampler-options.ts';
export type { ControlOptions } from './generate/control-options.ts';
export { memoryModes, modelParts } from './generate/product.ts';
export type {
  AdapterChoice,
  ControlChoice,
  EmbeddingChoice,
  ImagePromptChoice,
  OpenOptions,
  MemoryMode,
  ModelPart,
  OpenProduct,
  PictureSize,
  Product,
  PromptConditions,
  PromptRequest,
  UsedAdapter,
  UsedEmbedding,
  WithParams,
} from './generate/product.ts';
export type { ImagePromptOptions } from './generate/image-prompt-options.ts';
export type { OpenImagePrompt } from './generate/steer/open-image-prompts.ts';
export type { OpenControl } from './generate/steer/open-controls.ts';
export type { GenerateReport } from './generate/report.ts';

// Training runs
export { CREDITS } from './credits.ts';
export { MAY_CHANGE, parseTrainingConfig, trainingConfigSchema, type TrainingConfig } from './training-config.ts';
export { labelledPictures, type LabelledPictures, type LabelledPicturesOptions } from './labelled-pictures.ts';
export { pictureBatches, type PictureBatchesOptions } from './picture-batches.ts';
export { diffusionRunFromConfig, type DiffusionRun, type DiffusionRunOptions } from './diffusion-run.ts';
export { loadModel, loadRunModel, type CheckpointKind, type LoadRunOptions, type RunModel, type RunWeights } from './run-model.ts';
export { componentOf, openCheckpoint, type Checkpoint, type Component, type OpenCheckpointOptions } from './checkpoint/checkpoint.ts';
export type { Evidence } from './checkpoint/evidence.ts';
export type { CheckpointFiles, WeightFile } from './checkpoint/files.ts';
export { folderFiles } from './checkpoint/folder-files.ts';
export { hubFiles } from './checkpoint/hub/hub-files.ts';
export type { HubOptions } from './checkpoint/hub/hub-options.ts';
export type { Architecture } from './checkpoint/single-file/architecture.ts';
export { singleFile } from './checkpoint/single-file/single-file.ts';
export type { SingleFileOptions } from './checkpoint/single-file/single-file-options.ts';
export { pageFiles, type PageFile } from './checkpoint/page-files.ts';
export { surveyCheckpoint, type CheckpointSurvey, type ComponentSurvey } from './checkpoint/survey.ts';
export type { WeightChoice, WeightChoiceOptions } from './checkpoint/weight-choice.ts';
export type { IndexEntry, ModelIndex } from './checkpoint/model-index.ts';
export { describeCheckpoint, type CheckpointDescription, type PrefixSummary } from './describe-checkpoint.ts';

// Judges of samples
export { type JudgeConfig } from './judge-config.ts';
export { judgeRunFromConfig, parseJudgeConfig, type JudgeRun, type JudgeRunOptions } from './judge-run.ts';

// Autoencoders and latents
export {
  autoencoderConfigSchema,
  isAutoencoderConfig,
  parseAutoencoderConfig,
  type AutoencoderConfig,
} from './latents/autoencoder-config.ts';
export {
  loadAutoencoderFolder,
  saveAutoencoderFolder,
  type LoadAutoencoderOptions,
  type LoadedAutoencoder,
  type SaveAutoencoderOptions,
} from './latents/autoencoder-folder.ts';
export { autoencoderRunFromConfig, heldOutPictures, type AutoencoderRun, type AutoencoderRunOptions } from './latents/autoencoder-run.ts';
export { encodedPictures, type EncodedPicture, type EncodedPicturesOptions } from './latents/encoded-pictures.ts';
export { keepAutoencoder } from './latents/keep-autoencoder.ts';
export { latentBatches, type LatentBatchesOptions } from './latents/latent-batches.ts';
export { decodings, type Decoding, type DecodeOptions } from './generate/parts/latent-coder.ts';
export { pictureCoder, type PictureCoder } from './latents/picture-coder.ts';
export { readLatents, writeLatents, type LatentFile } from './latents/latent-file.ts';
