export { fromDiffusersConfig, schedulerClassNames, type FromDiffusersConfigOptions } from './from-config.ts';
export type { DiffusersScheduler, StepResult } from './scheduler.ts';
export type { StepOptions, TimestepsOptions } from './scheduler-class.ts';
export { converse, type Conversation, type Question, type Turn } from './stepping.ts';
