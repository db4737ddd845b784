// Made by tooling/scripts/generate-registry.mjs from the files of this folder. Do not edit.
import { createRegistry, type Registry } from '@langevin/core';
import type { Guidance } from '../guidance.ts';
import { cfg } from './cfg.ts';
import { composed } from './composed.ts';
import { dynamicThreshold } from './dynamic-threshold.ts';
import { staticThreshold } from './static-threshold.ts';

export * from './cfg.ts';
export * from './composed.ts';
export * from './dynamic-threshold.ts';
export * from './static-threshold.ts';

/** Rules of guidance by name, for command lines and plugins: one for each file of this folder. */
export const guidanceRules: Registry<Guidance> = /* @__PURE__ */ createRegistry(
  'guidance',
  { cfg, composed, 'dynamic-threshold': dynamicThreshold, 'static-threshold': staticThreshold },
  {
    cfg: ['scale', 'weight', 'sigmaMin', 'sigmaMax', 'rescale', 'asked'],
    composed: ['weights', 'prior'],
    'dynamic-threshold': ['ratio', 'most', 'of'],
    'static-threshold': ['range', 'of'],
  },
);
