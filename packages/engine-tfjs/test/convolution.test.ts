import { sizeOf, stridesOf } from '@langevin/tensor';
import type { ConvParams, Engine, Shape } from '@langevin/tensor';
import { beforeAll, describe, expect, test } from 'vitest';
import { tfjsEngine } from '@langevin/engine-tfjs';
import { PATIENT, backends } from './backends.ts';
import { apply, wave } from './graphs.ts';
import type { HostTensor } from './graphs.ts';

interface Case extends ConvParams {
  readonly x: Shape;
  readonly w: Shape;
}

const none = (rank: number) => Array.from({ length: rank }, () => [0, 0] as const);
const ones = (rank: number) => Array.from({ length: rank }, () => 1);

const cases: Record<string, Case> = {
  '1-D': { x: [2, 3, 7], w: [4, 3, 3], strides: [1], padding: [[1, 1]], dilations: [1], groups: 1 },
  '1-D strided, dilated, lopsided': { x: [1, 4, 11], w: [4, 2, 3], strides: [2], padding: [[2, 0]], dilations: [2], groups: 2 },
  '2-D': {
    x: [2, 3, 5, 6],
    w: [4, 3, 3, 3],
    strides: [1, 1],
    padding: [
      [1, 1],
      [1, 1],
    ],
    dilations: [1, 1],
    groups: 1,
  },
  '2-D 1x1': { x: [2, 3, 4, 4], w: [5, 3, 1, 1], strides: [1, 1], padding: none(2), dilations: [1, 1], groups: 1 },
  '2-D strided, last row unread': {
    x: [1, 2, 6, 7],
    w: [3, 2, 3, 2],
    strides: [2, 3],
    padding: [
      [0, 1],
      [1, 0],
    ],
    dilations: [1, 1],
    groups: 1,
  },
  '2-D dilated': {
    x: [1, 2, 8, 8],
    w: [3, 2, 3, 3],
    strides: [1, 1],
    padding: [
      [2, 2],
      [2, 2],
    ],
    dilations: [2, 3],
    groups: 1,
  },
  '2-D strided and dilated': {
    x: [1, 2, 9, 8],
    w: [3, 2, 3, 3],
    strides: [2, 2],
    padding: [
      [1, 2],
      [0, 1],
    ],
    dilations: [2, 2],
    groups: 1,
  },
  '2-D padding beyond the kernel': {
    x: [1, 2, 3, 3],
    w: [2, 2, 2, 2],
    strides: [1, 1],
    padding: [
      [3, 2],
      [2, 3],
    ],
    dilations: [1, 1],
    groups: 1,
  },
  '2-D groups': {
    x: [2, 4, 5, 5],
    w: [6, 2, 3, 3],
    strides: [1, 1],
    padding: [
      [1, 0],
      [0, 1],
    ],
    dilations: [1, 1],
    groups: 2,
  },
  '2-D depthwise, two outputs a channel': {
    x: [2, 3, 5, 5],
    w: [6, 1, 3, 3],
    strides: [2, 2],
    padding: [
      [1, 1],
      [1, 1],
    ],
    dilations: [1, 1],
    groups: 3,
  },
  '2-D depthwise, dilated': {
    x: [1, 3, 6, 6],
    w: [3, 1, 3, 3],
    strides: [1, 1],
    padding: [
      [2, 2],
      [2, 2],
    ],
    dilations: [2, 2],
    groups: 3,
  },
  // Large enough for XNNPACK's matrix product, see kernels/matmul.ts.
  '2-D wide': {
    x: [2, 20, 8, 8],
    w: [26, 20, 1, 2],
    strides: [1, 1],
    padding: [
      [0, 0],
      [1, 0],
    ],
    dilations: [1, 1],
    groups: 1,
  },
  '2-D wide groups': { x: [1, 32, 18, 18], w: [32, 16, 1, 1], strides: [1, 1], padding: none(2), dilations: [1, 1], groups: 2 },
  '3-D': {
    x: [1, 2, 4, 4, 3],
    w: [3, 2, 3, 2, 2],
    strides: [1, 2, 1],
    padding: [
      [1, 1],
      [0, 1],
      [1, 0],
    ],
    dilations: ones(3),
    groups: 1,
  },
  '3-D dilated groups': { x: [1, 4, 5, 4, 4], w: [4, 2, 2, 2, 2], strides: [1, 1, 2], padding: none(3), dilations: [2, 1, 2], groups: 2 },
};

/** The bilinear map itself, tap by tap in float64: calls visit(index of x, of w, of out). */
function eachProduct(c: Case, out: Shape, visit: (x: number, w: number, o: number) => void): void {
  const spatial = c.x.slice(2);
  const kernel = c.w.slice(2);
  const [sx, sw, so] = [stridesOf(c.x), stridesOf(c.w), stridesOf(out)];
  const perGroup = c.w[0]! / c.groups;
  const indices = (shape: Shape) =>
    Array.from({ length: sizeOf(shape) }, (_, i) => stridesOf(shape).map((s, d) => Math.floor(i / s) % shape[d]!));
  for (const position of indices(out.slice(2))) {
    for (const tap of indices(kernel)) {
      const from = position.map((p, d) => p * c.strides[d]! + tap[d]! * c.dilations[d]! - c.padding[d]![0]);
      if (from.some((p, d) => p < 0 || p >= spatial[d]!)) continue;
      for (let n = 0; n < c.x[0]!; n++) {
        for (let o = 0; o < c.w[0]!; o++) {
          for (let i = 0; i < c.w[1]!; i++) {
            const channel = Math.floor(o / perGroup) * c.w[1]! + i;
            const at = (strides: readonly number[], a: number, b: number, rest: readonly number[]) =>
              [a, b, ...rest].reduce((sum, v, d) => sum + v * strides[d]!, 0);
            visit(at(sx, n, channel, from), at(sw, o, i, tap), at(so, n, o, position));
          }
        }
      }
    }
  }
}

function outputShape(c: Case): number[] {
  const sizes = c.x
    .slice(2)
    .map((n, d) => Math.floor((n + c.padding[d]![0] + c.padding[d]![1] - c.dilations[d]! * (c.w[d + 2]! - 1) - 1) / c.strides[d]!) + 1);
  return [c.x[0]!, c.w[0]!, ...sizes];
}

function expectClose(actual: readonly number[], expected: readonly number[]): void {
  expect(actual).toHaveLength(expected.length);
  // float32 sums of at most a few hundred products below 1.
  const worst = Math.max(...actual.map((v, i) => Math.abs(v - expected[i]!)));
  expect(worst).toBeLessThan(2e-5);
}

describe.each(backends)('convolutions on %s', PATIENT, (backend) => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await tfjsEngine({ backend });
  });

  const at = (data: HostTensor, i: number) => (data.data as Float32Array)[i]!;

  test.each(Object.entries(cases))('%s equals the sum over taps, and so do both gradients', async (_name, c) => {
    const out = outputShape(c);
    const [x, w, g] = [wave(c.x, 1), wave(c.w, 2), wave(out, 3)];
    const forward = new Array<number>(sizeOf(out)).fill(0);
    const inputGrad = new Array<number>(sizeOf(c.x)).fill(0);
    const weightGrad = new Array<number>(sizeOf(c.w)).fill(0);
    eachProduct(c, out, (xi, wi, oi) => {
      forward[oi]! += at(x, xi) * at(w, wi);
      inputGrad[xi]! += at(g, oi) * at(w, wi);
      weightGrad[wi]! += at(g, oi) * at(x, xi);
    });
    const params: ConvParams = { strides: c.strides, padding: c.padding, dilations: c.dilations, groups: c.groups };
    expectClose(await apply(engine, 'conv', { params, inputs: [x, w], output: { shape: out } }), forward);
    expectClose(
      await apply(engine, 'convInputGrad', { params: { ...params, spatial: c.x.slice(2) }, inputs: [g, w], output: { shape: c.x } }),
      inputGrad,
    );
    expectClose(
      await apply(engine, 'convWeightGrad', { params: { ...params, kernel: c.w.slice(2) }, inputs: [x, g], output: { shape: c.w } }),
      weightGrad,
    );
  });

  // On wasm each of these is another kernel of XNNPACK, and all clamp their results to [-infinity, infinity].
  const unpadded: readonly (readonly [Shape, Shape])[] = [
    [[1, 1, 3, 3], [1, 1, 1, 1]], // a scale
    [[2, 4, 3, 3], [4, 1, 1, 1]], // a scale of each channel
    [[2, 1, 5], [1, 1, 1]],
    [[1, 2, 2, 2, 2], [2, 1, 1, 1, 1]],
    [[1, 4, 3, 3], [8, 1, 1, 1]], // depthwise
    [[1, 4, 4, 4], [4, 1, 2, 2]],
    [[1, 4, 3, 3], [4, 2, 1, 1]], // groups
    [[1, 3, 3, 3], [2, 3, 1, 1]], // a matrix product
    [[1, 1, 3, 3], [2, 1, 1, 1]],
    [[1, 2, 3, 3], [1, 2, 2, 2]],
  ]; // prettier-ignore
  test.each(unpadded)('x %j by w %j is NaN where a product is, infinite where one is, and else a number', async (xShape, wShape) => {
    const rank = xShape.length - 2;
    const c: Case = {
      x: xShape,
      w: wShape,
      strides: ones(rank),
      padding: none(rank),
      dilations: ones(rank),
      groups: xShape[1]! / wShape[1]!,
    };
    const { x: _, w: __, ...params } = c;
    const out = outputShape(c);
    const spoilt = (tensor: HostTensor, value: number): HostTensor => ({
      ...tensor,
      data: (tensor.data as Float32Array).map((v, i) => (i === 0 ? value : v)),
    });
    for (const value of [Number.NaN, Infinity, -Infinity]) {
      for (const place of ['x', 'w'] as const) {
        const x = place === 'x' ? spoilt(wave(xShape, 1), value) : wave(xShape, 1);
        const w = place === 'w' ? spoilt(wave(wShape, 2), value) : wave(wShape, 2);
        const expected = new Array<number>(sizeOf(out)).fill(0);
        eachProduct(c, out, (xi, wi, oi) => void (expected[oi]! += at(x, xi) * at(w, wi)));
        const found = await apply(engine, 'conv', { params, inputs: [x, w], output: { shape: out } });
        expect(found).toEqual(expected.map((v) => (Number.isFinite(v) ? (expect.closeTo(v, 4) as number) : v)));
      }
    }
  });
});
