// Made by tooling/scripts/generate-registry.mjs from the files of this folder. Do not edit.
import { createRegistry, type Registry } from '@langevin/core';
import type { Regulariser } from '../regulariser.ts';
import { codes } from './codes.ts';
import { emaCodes } from './ema-codes.ts';
import { kl } from './kl.ts';
import { none } from './none.ts';

export * from './codes.ts';
export * from './ema-codes.ts';
export * from './kl.ts';
export * from './none.ts';

/** Regularisers of latents by name, for configuration files and plugins: one for each file of this folder. */
export const regularisers: Registry<Regulariser> = /* @__PURE__ */ createRegistry(
  'regulariser',
  { codes, 'ema-codes': emaCodes, kl, none },
  { codes: ['beta', 'placement', 'weight'], 'ema-codes': ['decay', 'beta', 'reviveBelow'], kl: ['weight', 'warmUp'], none: [] },
);
