// Made by tooling/scripts/generate-registry.mjs from the files of this folder. Do not edit.
import { createRegistry, type Registry } from '@langevin/core';
import type { ReconstructionLoss } from '../reconstruction-loss.ts';
import { bernoulli } from './bernoulli.ts';
import { chamfer } from './chamfer.ts';
import { l1 } from './l1.ts';
import { l2 } from './l2.ts';
import { logitLaplace } from './logit-laplace.ts';
import { lpips } from './lpips.ts';
import { perceptual } from './perceptual.ts';

export * from './bernoulli.ts';
export * from './chamfer.ts';
export * from './l1.ts';
export * from './l2.ts';
export * from './logit-laplace.ts';
export * from './lpips.ts';
export * from './perceptual.ts';

/** Losses of reconstructions by name, for configuration files and plugins: one for each file of this folder. */
export const reconstructionLosses: Registry<ReconstructionLoss> = /* @__PURE__ */ createRegistry(
  'reconstruction loss',
  { bernoulli, chamfer, l1, l2, 'logit-laplace': logitLaplace, lpips, perceptual },
  {
    bernoulli: ['weight'],
    chamfer: ['weight'],
    l1: ['weight'],
    l2: ['weight'],
    'logit-laplace': ['weight', 'scale'],
    lpips: ['params', 'weight'],
    perceptual: ['features', 'network', 'weight'],
  },
);
