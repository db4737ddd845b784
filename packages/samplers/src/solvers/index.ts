// Made by tooling/scripts/generate-registry.mjs from the files of this folder. Do not edit.
import { createRegistry, type Registry } from '@langevin/core-schedules';
import type { Sampler } from '../sampler.ts';
import { ddim } from './ddim.ts';
import { ddpm } from './ddpm.ts';
import { euler } from './euler.ts';
import { heun } from './heun.ts';

export * from './ddim.ts';
export * from './ddpm.ts';
export * from './euler.ts';
export * from './heun.ts';

/** Samplers by name, for command lines and plugins: one for each file of this folder. */
export const samplers: Registry<Sampler> = /* @__PURE__ */ createRegistry('sampler', { ddim, ddpm, euler, heun });
