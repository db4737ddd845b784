import * as nn from '@langevin/nn';
import { errorKind, ones, tensor } from '@langevin/tensor';
import { expect, test } from 'vitest';

// What code without types passes.
const rubbish = (): readonly unknown[] => [null, undefined, Promise.resolve(ones([2, 3])), [[1, 2, 3]], 'x', {}, new Float32Array(6)];

const x = ones([2, 3]);
const positive = tensor([[1, 2, 3], [1, 2, 3]]); // prettier-ignore
const losses: Readonly<Record<string, readonly unknown[]>> = {
  mseLoss: [x, x],
  maeLoss: [x, x],
  huberLoss: [x, x],
  smoothL1Loss: [x, x],
  pseudoHuberLoss: [x, x],
  cosineLoss: [x, x],
  cosineSimilarity: [x, x],
  binaryCrossEntropyWithLogits: [x, x],
  crossEntropyLoss: [x, x],
  klDivergence: [x, positive],
};

const call = (name: string, ...args: readonly unknown[]): unknown =>
  (nn as unknown as Record<string, (...args: readonly unknown[]) => unknown>)[name]!(...args);

function kindOfRefusal(body: () => unknown): string | undefined {
  try {
    body();
  } catch (error) {
    return errorKind(error) ?? String(error);
  }
  return 'taken';
}

test.each(Object.entries(losses))('%s refuses what is no tensor, and what are no options', (name, [a, b]) => {
  for (const value of rubbish()) {
    expect(kindOfRefusal(() => call(name, value, b, { c: 1 }))).toBe('user');
    expect(kindOfRefusal(() => call(name, a, value, { c: 1 }))).toBe('user');
  }
  for (const value of [null, 3, [], 'x']) expect(kindOfRefusal(() => call(name, a, b, value))).toBe('user');
  if (name !== 'cosineSimilarity') expect(kindOfRefusal(() => call(name, a, b, { c: 1, reduction: 'average' }))).toBe('user');
});

test.each(['gaussianNllLoss', 'gaussianKl'])('%s refuses what is no Gaussian', (name) => {
  for (const value of [null, 3, [], {}, { mean: null }, { mean: x, variance: null, logVariance: null }])
    expect(kindOfRefusal(() => call(name, value, name === 'gaussianKl' ? undefined : x))).toBe('user');
});

test.each([
  'linear', 'conv', 'convTranspose', 'attention', 'embedding', 'groupNorm', 'layerNorm', 'rmsNorm', 'embeddingMlp', 'fourierFeatures',
  'pixelAttention', 'downsample', 'upsample', 'resnetBlock', 'linearSchedule', 'cosineSchedule', 'oneCycleSchedule', 'inverseSqrtSchedule',
])('%s refuses what are no options', (name) => {
  for (const value of [null, undefined, 3, [], 'x', {}]) expect(kindOfRefusal(() => call(name, value)), String(value)).toBe('user');
}); // prettier-ignore

test.each(['adam', 'adamW', 'sgd', 'lion', 'rAdam'])('%s refuses what are no options', (name) => {
  for (const value of [null, 3, [], 'x']) expect(kindOfRefusal(() => call(name, value))).toBe('user');
});
