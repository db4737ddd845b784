// What a page needs to make pictures of a checkpoint: nothing here reads a disk, and no other entry of this package is needed beside it.
export { openCheckpoint, type Checkpoint, type OpenCheckpointOptions } from './checkpoint/checkpoint.ts';
export { surveyCheckpoint, type CheckpointSurvey } from './checkpoint/survey.ts';
export { pageFiles, type PageFile } from './checkpoint/page-files.ts';
export type { CheckpointFiles } from './checkpoint/files.ts';
export { openModel, type OpenModelOptions } from './generate/open-model.ts';
export { generate, type GeneratePart, type GenerateResult, type GenerateStep } from './generate/generate.ts';
export type { GenerateOptions } from './generate/options.ts';
export type { OpenProduct } from './generate/product.ts';
export type { GenerateReport } from './generate/report.ts';
export { notesOf, recipeOf, type PictureRecipe } from './generate/picture-notes.ts';
