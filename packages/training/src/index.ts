export { train, type Metrics, type StepResult, type TrainEvent, type TrainingData, type TrainingTask, type TrainOptions } from './loop.ts';
export {
  listCheckpoints,
  pruneCheckpoints,
  readCheckpoint,
  removeUnfinished,
  writeCheckpoint,
  type PruneOptions,
  type StoredCheckpoint,
  type TrainingPoint,
} from './checkpoint.ts';
export { createRunFolder, runFolder, stepName, stepOfName, type RunFolder } from './run-folder.ts';
export { showChange, type ConfigChange } from './stored-config.ts';
export { writeReport, type ReportState } from './report.ts';
export { progressMeter, showDuration, type Progress } from './progress.ts';
export { parseTrainingConfig, type DiffusionTrainingConfig } from './diffusion/config.ts';
export { parseDataDescription, type ClassGroup, type DataDescription } from './diffusion/data-description.ts';
export { countParameters, diffusionTask, MAY_CHANGE, type DiffusionState, type DiffusionTaskOptions } from './diffusion/task.ts';
export { conditionalBackbone, type ConditionalBackbone } from './diffusion/conditional-backbone.ts';
