// Made by tooling/scripts/generate-registry.mjs from the files of this folder. Do not edit.
import { createRegistry, type Registry } from '@langevin/core';
import type { Preconditioning } from '../preconditioning.ts';
import { consistencyPreconditioning } from './consistency.ts';
import { edmPreconditioning } from './edm.ts';
import { flowMatchingPreconditioning } from './flow-matching.ts';
import { iddpmPreconditioning } from './iddpm.ts';
import { predictionPreconditioning } from './prediction.ts';
import { trigflowPreconditioning } from './trigflow.ts';
import { vePreconditioning } from './ve.ts';
import { vpPreconditioning } from './vp.ts';

export * from './consistency.ts';
export * from './edm.ts';
export * from './flow-matching.ts';
export * from './iddpm.ts';
export * from './prediction.ts';
export * from './trigflow.ts';
export * from './ve.ts';
export * from './vp.ts';

/** Preconditionings by name, for configuration files and plugins: one for each file of this folder. */
export const preconditionings: Registry<Preconditioning> = /* @__PURE__ */ createRegistry(
  'preconditioning',
  {
    consistency: consistencyPreconditioning,
    edm: edmPreconditioning,
    'flow-matching': flowMatchingPreconditioning,
    iddpm: iddpmPreconditioning,
    prediction: predictionPreconditioning,
    trigflow: trigflowPreconditioning,
    ve: vePreconditioning,
    vp: vpPreconditioning,
  },
  {
    consistency: ['sigmaData', 'sigmaMin', 'noiseScale'],
    edm: ['sigmaData'],
    'flow-matching': ['sigmaMin', 'conditioning'],
    iddpm: ['process'],
    prediction: ['process', 'prediction', 'conditioning', 'wholeSteps'],
    trigflow: ['sigmaData'],
    ve: [],
    vp: ['betaMin', 'betaMax', 'steps'],
  },
);
