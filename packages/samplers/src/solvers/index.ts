// Made by tooling/scripts/generate-registry.mjs from the files of this folder. Do not edit.
import { createRegistry, type Registry } from '@langevin/core-schedules';
import type { Sampler } from '../sampler.ts';
import { consistency } from './consistency.ts';
import { ctm } from './ctm.ts';
import { ddim } from './ddim.ts';
import { ddpm } from './ddpm.ts';
import { dpmpp2mSde } from './dpmpp-2m-sde.ts';
import { dpmpp3mSde } from './dpmpp-3m-sde.ts';
import { dpmppSde } from './dpmpp-sde.ts';
import { euler } from './euler.ts';
import { eulerAncestral } from './euler-ancestral.ts';
import { flowHeun } from './flow-heun.ts';
import { heun } from './heun.ts';
import { lcm } from './lcm.ts';
import { repaint } from './repaint.ts';
import { scm } from './scm.ts';
import { seeds2 } from './seeds-2.ts';
import { seeds3 } from './seeds-3.ts';
import { tcd } from './tcd.ts';

export * from './consistency.ts';
export * from './ctm.ts';
export * from './ddim.ts';
export * from './ddpm.ts';
export * from './dpmpp-2m-sde.ts';
export * from './dpmpp-3m-sde.ts';
export * from './dpmpp-sde.ts';
export * from './euler.ts';
export * from './euler-ancestral.ts';
export * from './flow-heun.ts';
export * from './heun.ts';
export * from './lcm.ts';
export * from './repaint.ts';
export * from './scm.ts';
export * from './seeds-2.ts';
export * from './seeds-3.ts';
export * from './tcd.ts';

/** Samplers by name, for command lines and plugins: one for each file of this folder. */
export const samplers: Registry<Sampler> = /* @__PURE__ */ createRegistry('sampler', { consistency, ctm, ddim, ddpm, 'dpmpp-2m-sde': dpmpp2mSde, 'dpmpp-3m-sde': dpmpp3mSde, 'dpmpp-sde': dpmppSde, euler, 'euler-ancestral': eulerAncestral, 'flow-heun': flowHeun, heun, lcm, repaint, scm, 'seeds-2': seeds2, 'seeds-3': seeds3, tcd });
