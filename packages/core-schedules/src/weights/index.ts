// Made by tooling/scripts/generate-registry.mjs from the files of this folder. Do not edit.
import { createRegistry, type Registry } from '@langevin/core';
import type { LossWeight } from '../loss-weight.ts';
import { cosmapWeight } from './cosmap.ts';
import { debiasedWeight } from './debiased.ts';
import { edmWeight } from './edm.ts';
import { minSnrWeight } from './min-snr.ts';
import { p2Weight } from './p2.ts';
import { sigmaSqrtWeight } from './sigma-sqrt.ts';
import { sigmoidWeight } from './sigmoid.ts';
import { snrWeight } from './snr.ts';
import { snrPlusOneWeight } from './snr-plus-one.ts';
import { softMinSnrWeight } from './soft-min-snr.ts';
import { truncatedSnrWeight } from './truncated-snr.ts';
import { uniformWeight } from './uniform.ts';

export * from './cosmap.ts';
export * from './debiased.ts';
export * from './edm.ts';
export * from './min-snr.ts';
export * from './p2.ts';
export * from './sigma-sqrt.ts';
export * from './sigmoid.ts';
export * from './snr.ts';
export * from './snr-plus-one.ts';
export * from './soft-min-snr.ts';
export * from './truncated-snr.ts';
export * from './uniform.ts';

/** Loss weights by name, for command lines and plugins: one for each file of this folder. */
export const lossWeights: Registry<LossWeight> = /* @__PURE__ */ createRegistry(
  'loss weight',
  {
    cosmap: cosmapWeight,
    debiased: debiasedWeight,
    edm: edmWeight,
    'min-snr': minSnrWeight,
    p2: p2Weight,
    'sigma-sqrt': sigmaSqrtWeight,
    sigmoid: sigmoidWeight,
    snr: snrWeight,
    'snr-plus-one': snrPlusOneWeight,
    'soft-min-snr': softMinSnrWeight,
    'truncated-snr': truncatedSnrWeight,
    uniform: uniformWeight,
  },
  {
    cosmap: ['of'],
    debiased: [],
    edm: ['sigmaData'],
    'min-snr': ['gamma'],
    p2: ['gamma', 'k'],
    'sigma-sqrt': [],
    sigmoid: ['bias'],
    snr: [],
    'snr-plus-one': [],
    'soft-min-snr': ['gamma'],
    'truncated-snr': [],
    uniform: [],
  },
);
