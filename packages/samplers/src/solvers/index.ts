// Made by tooling/scripts/generate-registry.mjs from the files of this folder. Do not edit.
import { createRegistry, type Registry } from '@langevin/core-schedules';
import type { Sampler } from '../sampler.ts';
import { consistency } from './consistency.ts';
import { ctm } from './ctm.ts';
import { ddim } from './ddim.ts';
import { ddpm } from './ddpm.ts';
import { euler } from './euler.ts';
import { flowHeun } from './flow-heun.ts';
import { heun } from './heun.ts';
import { lcm } from './lcm.ts';
import { repaint } from './repaint.ts';
import { scm } from './scm.ts';
import { tcd } from './tcd.ts';

export * from './consistency.ts';
export * from './ctm.ts';
export * from './ddim.ts';
export * from './ddpm.ts';
export * from './euler.ts';
export * from './flow-heun.ts';
export * from './heun.ts';
export * from './lcm.ts';
export * from './repaint.ts';
export * from './scm.ts';
export * from './tcd.ts';

/** Samplers by name, for command lines and plugins: one for each file of this folder. */
export const samplers: Registry<Sampler> = /* @__PURE__ */ createRegistry('sampler', { consistency, ctm, ddim, ddpm, euler, 'flow-heun': flowHeun, heun, lcm, repaint, scm, tcd });
