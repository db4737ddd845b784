// Made by tooling/scripts/generate-registry.mjs from the files of this folder. Do not edit.
import { createRegistry, type Registry } from '@langevin/core';
import type { NoiseProcess } from '../noise-process.ts';
import { discreteVp } from './discrete-vp.ts';
import { edm } from './edm.ts';
import { flow } from './flow.ts';
import { subVp } from './sub-vp.ts';
import { trigflow } from './trigflow.ts';
import { ve } from './ve.ts';
import { vpCosine } from './vp-cosine.ts';
import { vpLinear } from './vp-linear.ts';

export * from './discrete-vp.ts';
export * from './edm.ts';
export * from './flow.ts';
export * from './sub-vp.ts';
export * from './trigflow.ts';
export * from './ve.ts';
export * from './vp-cosine.ts';
export * from './vp-linear.ts';

/** Noise processes by name, for command lines and configuration files: one for each file of this folder. */
export const processes: Registry<NoiseProcess> = /* @__PURE__ */ createRegistry<NoiseProcess>(
  'process',
  { 'discrete-vp': discreteVp, edm, flow, 'sub-vp': subVp, trigflow, ve, 'vp-cosine': vpCosine, 'vp-linear': vpLinear },
  {
    'discrete-vp': ['betas', 'steps', 'betaStart', 'betaEnd', 'terminalSnr', 'snrShift'],
    edm: ['sigmaMin', 'sigmaMax', 'rho'],
    flow: ['shift'],
    'sub-vp': ['betaMin', 'betaMax'],
    trigflow: ['sigmaData', 'sigmaMin', 'sigmaMax'],
    ve: ['sigmaMin', 'sigmaMax'],
    'vp-cosine': ['offset'],
    'vp-linear': ['betaMin', 'betaMax'],
  },
);
