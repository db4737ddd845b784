export { fromDiffusersConfig, schedulerClassNames, type FromDiffusersConfigOptions } from './from-config.ts';
export type { DiffusersScheduler, StepResult } from './diffusers-scheduler.ts';
export type { StepOptions, TimestepsOptions } from './call-options.ts';
export { converse, type Conversation, type Question, type Turn } from './stepping.ts';
export { a1111Samplers, a1111Spacings } from '../aliases/a1111.ts';
export type { SamplerAlias, SpacingAlias } from '../aliases/alias.ts';
export { comfyuiSamplers, comfyuiSpacings } from '../aliases/comfyui.ts';
export { resolveSampler, resolveSpacing, type ResolvedSampler, type ResolveOptions } from '../aliases/resolve.ts';
