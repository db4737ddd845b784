// Made by tooling/scripts/generate-registry.mjs from the files of this folder. Do not edit.
import { createRegistry, type Registry } from '@langevin/core';
import type { Metric } from '../metric.ts';
import { captionScoreMetric } from './caption-score.ts';
import { classScoreMetric } from './class-score.ts';
import { extrapolatedFrechetMetric } from './extrapolated-frechet.ts';
import { frechetMetric } from './frechet.ts';
import { gaussianKernelMetric } from './gaussian-kernel.ts';
import { kernelMetric } from './kernel.ts';
import { memorisationMetric } from './memorisation.ts';
import { precisionRecallMetric } from './precision-recall.ts';
import { similarityMetric } from './similarity.ts';
import { spectrumMetric } from './spectrum.ts';

export * from './caption-score.ts';
export * from './class-score.ts';
export * from './extrapolated-frechet.ts';
export * from './frechet.ts';
export * from './gaussian-kernel.ts';
export * from './kernel.ts';
export * from './memorisation.ts';
export * from './precision-recall.ts';
export * from './similarity.ts';
export * from './spectrum.ts';

/** Metrics by name, for command lines and plugins: one for each file of this folder. */
export const metrics: Registry<Metric> = /* @__PURE__ */ createRegistry(
  'metric',
  {
    'caption-score': captionScoreMetric,
    'class-score': classScoreMetric,
    'extrapolated-frechet': extrapolatedFrechetMetric,
    frechet: frechetMetric,
    'gaussian-kernel': gaussianKernelMetric,
    kernel: kernelMetric,
    memorisation: memorisationMetric,
    'precision-recall': precisionRecallMetric,
    similarity: similarityMetric,
    spectrum: spectrumMetric,
  },
  {
    'caption-score': ['scale'],
    'class-score': ['splits'],
    'extrapolated-frechet': [],
    frechet: [],
    'gaussian-kernel': ['bandwidth'],
    kernel: ['subsets', 'subsetSize'],
    memorisation: ['quantile'],
    'precision-recall': ['k'],
    similarity: [],
    spectrum: [],
  },
);
