import { checkConditions, dropConditions, listenAt, maskOf, tapped } from '@langevin/core';
import { referenceEngine } from '@langevin/tensor/testing';
import { mul, numbers, setDefaultEngine, tensor, traceGraph, zeros, type Tensor } from '@langevin/tensor';
import { beforeAll, describe, expect, it } from 'vitest';

beforeAll(() => setDefaultEngine(referenceEngine()));

const specs = {
  label: { kind: 'label', count: 10, none: 10 },
  text: { kind: 'tokens', size: 4 },
  pose: { kind: 'camera' },
  start: { kind: 'picture', channels: 3 },
  steering: { kind: 'features', channels: 8, shrink: 2, optional: true },
} as const;
const right = {
  label: zeros([2], 'int32'),
  text: zeros([2, 7, 4]),
  [maskOf('text')]: zeros([2, 7], 'bool'),
  pose: zeros([2, 16]),
  start: zeros([2, 3, 8, 8]),
};
const check = (conditions: Record<string, Tensor>) => () => checkConditions('backbones/mine', conditions, { specs, batch: 2 });

describe('conditions', () => {
  it('are held to what a network declares', () => {
    expect(check(right)).not.toThrow();
    const { text: _, ...without } = right;
    expect(check(without)).toThrow('[backbones/mine] condition is missing: name=text. Give float32 [2, L, 4]');
    expect(check({ ...right, txt: zeros([2]) })).toThrow(
      'network does not take this condition: name=txt. Known: label, text, pose, start, steering.',
    );
    expect(check({ ...right, [maskOf('pose')]: zeros([2, 7], 'bool') })).toThrow('name=pose.mask');
    expect(check({ ...right, label: zeros([3], 'int32') })).toThrow('label=int32[3]. Give int32 [2], labels 0..9');
    expect(check({ ...right, label: zeros([2]) })).toThrow('label=float32[2]');
    expect(check({ ...right, start: zeros([2, 4, 8, 8]) })).toThrow('start=float32[2, 4, 8, 8]');
    expect(check({ ...right, steering: zeros([2, 8, 4, 4]) })).not.toThrow();
    expect(check({ ...right, steering: zeros([2, 7, 4, 4]) })).toThrow('steering=float32[2, 7, 4, 4]. Give float32 [2, 8, ...]');
    expect(check({ ...right, [maskOf('text')]: zeros([2, 6], 'bool') })).toThrow('mask bool[2, 6]');
  });

  it('are dropped item by item, the mask of a sequence with it', async () => {
    const conditions = {
      text: tensor([1, 2, 3, 4], { shape: [2, 2, 1] }),
      [maskOf('text')]: tensor([1, 1, 1, 0], { shape: [2, 2], dtype: 'bool' }),
      fps: tensor([8, 24]),
    };
    const nulls = { text: tensor([9, 9], { shape: [1, 2, 1] }), [maskOf('text')]: tensor([1, 0], { shape: [1, 2], dtype: 'bool' }) };
    const result = dropConditions(conditions, { nulls, dropped: { text: tensor([0, 1], { dtype: 'bool' }) } });
    expect(await numbers(result['text']!)).toEqual([1, 2, 9, 9]);
    expect(await numbers(result['text.mask']!)).toEqual([1, 1, 1, 0]);
    expect(result['fps']).toBe(conditions.fps);
    expect(() => dropConditions(conditions, { nulls: { txt: zeros([1]) }, dropped: {} })).toThrow('name=txt');
  });
});

describe('taps', () => {
  it('that nobody listens to leave the graph as it is', () => {
    const network = (x: Tensor, taps?: ReturnType<typeof listenAt>): Tensor => mul(tapped(taps, 'mid', mul(x, 2)), 3);
    const keyOf = (taps?: ReturnType<typeof listenAt>): string => traceGraph((x: Tensor) => network(x, taps), [zeros([2])]).key;
    expect(keyOf(listenAt({ other: (value) => mul(value, 0) }))).toBe(keyOf());
    expect(keyOf(listenAt({ mid: (value) => mul(value, 0.5) }))).not.toBe(keyOf());
  });
});
