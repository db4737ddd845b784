export { train, type Metrics, type StepResult, type TrainEvent, type TrainingTask, type TrainOptions } from './loop.ts';
export { listCheckpoints, pruneCheckpoints, readCheckpoint, removeUnfinished, writeCheckpoint, type TrainingPoint } from './checkpoint.ts';
export { createRunFolder, runFolder, stepName, stepOfName, type RunFolder } from './run-folder.ts';
export { appendLine, readLog, truncateLog, type LogLine } from './run-log.ts';
export { writeReport, type ReportState } from './report.ts';
export { progressMeter, showDuration, type Progress } from './progress.ts';
export { parseTrainingConfig, type DiffusionTrainingConfig } from './diffusion/config.ts';
export { countParameters, diffusionTask, type DiffusionState, type DiffusionTaskOptions } from './diffusion/task.ts';
export { conditionalBackbone, type ConditionalBackbone } from './diffusion/conditional-backbone.ts';
