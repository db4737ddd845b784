import {
  binaryCrossEntropyWithLogits,
  cosineSimilarity,
  crossEntropyLoss,
  gaussianKl,
  gaussianNllLoss,
  huberLoss,
  klDivergence,
  maeLoss,
  mseLoss,
  smoothL1Loss,
  type CrossEntropyOptions,
} from '@langevin/nn';
import type { Tensor } from '@langevin/tensor';
import type { CaseFunction } from './golden.ts';

const pair =
  (fn: (prediction: Tensor, target: Tensor) => Tensor): CaseFunction =>
  ({ inputs }) =>
    fn(inputs['prediction']!, inputs['target']!);
const classes =
  (options?: CrossEntropyOptions): CaseFunction =>
  ({ inputs: { logits, target } }) =>
    crossEntropyLoss(logits!, target!, options);
const likelihood =
  (constant: 'with' | 'without'): CaseFunction =>
  ({ inputs: { mean, variance, target } }) =>
    gaussianNllLoss({ mean: mean!, variance: variance! }, target!, { constant });

/** Langevin's side of every case of golden/losses.json. */
export const lossCases: Readonly<Record<string, CaseFunction>> = {
  mse: pair(mseLoss),
  'mse-sum': pair((a, b) => mseLoss(a, b, { reduction: 'sum' })),
  mae: pair(maeLoss),
  huber: pair((a, b) => huberLoss(a, b, { delta: 0.7 })),
  'smooth-l1': pair((a, b) => smoothL1Loss(a, b, { beta: 0.7 })),
  'huber-none': pair((a, b) => huberLoss(a, b, { delta: 0.7, reduction: 'none' })),
  'bce-with-logits': ({ inputs: { logits, target } }) => binaryCrossEntropyWithLogits(logits!, target!),
  'cross-entropy': classes(),
  'cross-entropy-none': classes({ reduction: 'none' }),
  'cross-entropy-smooth': classes({ labelSmoothing: 0.1 }),
  'cross-entropy-soft': classes(),
  'cross-entropy-soft-smooth': classes({ labelSmoothing: 0.2 }),
  'gaussian-nll': likelihood('without'),
  'gaussian-nll-full': likelihood('with'),
  'gaussian-kl': ({ inputs: { mean, logVariance, mean2, logVariance2 } }) =>
    gaussianKl({ mean: mean!, logVariance: logVariance! }, { mean: mean2!, logVariance: logVariance2! }),
  'kl-divergence': pair(klDivergence),
  'cosine-similarity': pair(cosineSimilarity),
  'cosine-similarity-last': pair((a, b) => cosineSimilarity(a, b, { axis: -1 })),
};
