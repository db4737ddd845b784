// Made by tooling/scripts/generate-registry.mjs from the files of this folder. Do not edit.
import { createRegistry, type Registry } from '@langevin/core';
import type { NoiseDistribution } from '../noise-distribution.ts';
import { betaTimes } from './beta.ts';
import { cosineSigmas } from './cosine.ts';
import { cosineInterpolatedSigmas } from './cosine-interpolated.ts';
import { cosmapTimes } from './cosmap.ts';
import { laplaceSigmas } from './laplace.ts';
import { logLogisticSigmas } from './log-logistic.ts';
import { logNormalSigmas } from './log-normal.ts';
import { logUniformSigmas } from './log-uniform.ts';
import { logitNormalTimes } from './logit-normal.ts';
import { modeTimes } from './mode.ts';
import { uniformTimes } from './uniform.ts';

export * from './beta.ts';
export * from './cosine.ts';
export * from './cosine-interpolated.ts';
export * from './cosmap.ts';
export * from './laplace.ts';
export * from './log-logistic.ts';
export * from './log-normal.ts';
export * from './log-uniform.ts';
export * from './logit-normal.ts';
export * from './mode.ts';
export * from './uniform.ts';

/** Distributions of noise levels by name, for configuration files and plugins: one for each file of this folder. */
export const noiseDistributions: Registry<NoiseDistribution> = /* @__PURE__ */ createRegistry(
  'distribution of levels',
  {
    beta: betaTimes,
    cosine: cosineSigmas,
    'cosine-interpolated': cosineInterpolatedSigmas,
    cosmap: cosmapTimes,
    laplace: laplaceSigmas,
    'log-logistic': logLogisticSigmas,
    'log-normal': logNormalSigmas,
    'log-uniform': logUniformSigmas,
    'logit-normal': logitNormalTimes,
    mode: modeTimes,
    uniform: uniformTimes,
  },
  {
    beta: ['process', 'a', 'b'],
    cosine: ['sigmaMin', 'sigmaMax', 'sigmaData'],
    'cosine-interpolated': ['imageSize', 'noiseSizeLow', 'noiseSizeHigh', 'sigmaData', 'sigmaMin', 'sigmaMax'],
    cosmap: ['process'],
    laplace: ['mean', 'scale'],
    'log-logistic': ['sigmaMin', 'sigmaMax', 'mean', 'scale'],
    'log-normal': ['mean', 'std'],
    'log-uniform': ['sigmaMin', 'sigmaMax'],
    'logit-normal': ['process', 'mean', 'std'],
    mode: ['process', 'scale'],
    uniform: ['process', 'min', 'max'],
  },
);
