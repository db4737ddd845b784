import { gradients } from '../../autodiff/gradients.ts';
import { add, mul } from '../../ops/binary.ts';
import { einsum } from '../../ops/einsum.ts';
import { matmul } from '../../ops/matmul.ts';
import { groupNorm, normalize } from '../../ops/normalize.ts';
import { avgPool } from '../../ops/pool.ts';
import { cumsum } from '../../ops/reduce.ts';
import { sum } from '../../ops/sum.ts';
import { lengthOf, mean, std, variance } from '../../ops/statistics.ts';
import { square } from '../../ops/unary.ts';
import { sizeOf, type Shape } from '../../shape.ts';

import { rowsOf, type ConformanceRow } from '../row.ts';
import type { Draw, RowInput } from '../draw.ts';
import { BLOCKS } from '../tolerance.ts';

/**
 * Sums of so many equal terms that float32, added one after another, is off by 10^-4 and more: each binade of the sum rounds all of its
 * additions the same way. What is right is a product.
 */
const LONG = { none: 'the row is about rounding, and its inputs are too many for difference quotients' } as const;

const TERM = Math.fround(1.1);

const terms = (d: Draw, shape: Shape): RowInput => d.of(new Array<number>(sizeOf(shape)).fill(TERM), shape);

/** 1000 - 1/2 and 1000 + 1/2 in turn: mean 1000, variance 1/4. */
const aroundThousand = (d: Draw, shape: Shape): RowInput => {
  const half = (i: number): number => (i % 2) - 0.5;
  return d.of(
    Array.from({ length: sizeOf(shape) }, (_, i) => 1000 + half(i)),
    shape,
  );
};

const long = { gradient: LONG, tolerance: BLOCKS } as const;

const sums: readonly ConformanceRow[] = rowsOf('sum', {
  'long, all': { inputs: (d) => [terms(d, [131072])], fn: (x) => sum(x!), shape: [], expected: [131072 * TERM], ...long },
  'long, of a prime count': { inputs: (d) => [terms(d, [100003])], fn: (x) => sum(x!), shape: [], expected: [100003 * TERM], ...long },
  'long, first axis': {
    inputs: (d) => [terms(d, [50000, 2])],
    fn: (x) => sum(x!, { axes: 0 }),
    shape: [2],
    expected: [50000 * TERM, 50000 * TERM],
    ...long,
  },
  'long, last axis': {
    inputs: (d) => [terms(d, [2, 50001])],
    fn: (x) => sum(x!, { axes: 1, dims: 'keep' }),
    shape: [2, 1],
    expected: [50001 * TERM, 50001 * TERM],
    ...long,
  },
  'long, middle axis': {
    inputs: (d) => [terms(d, [2, 20000, 2])],
    fn: (x) => sum(x!, { axes: 1 }),
    shape: [2, 2],
    expected: new Array<number>(4).fill(20000 * TERM),
    ...long,
  },
  'long, every other axis': {
    inputs: (d) => [terms(d, [2, 150, 2, 150])],
    fn: (x) => sum(x!, { axes: [1, 3] }),
    shape: [2, 2],
    expected: new Array<number>(4).fill(22500 * TERM),
    ...long,
  },
  'long, mean and mean square': {
    inputs: (d) => [terms(d, [4, 30000])],
    fn: (x) => [mean(x!), mean(square(x!))],
    shape: [],
    expected: [TERM],
    ...long,
  },
  'long, mean of squares': {
    inputs: (d) => [terms(d, [3, 3, 100, 100])],
    fn: (x) => mean(square(x!)),
    shape: [],
    expected: [TERM * TERM],
    ...long,
  },
  'long, inner products of rows': {
    inputs: (d) => [terms(d, [2, 32768]), terms(d, [2, 32768])],
    fn: (x, y) => sum(mul(x!, y!), { axes: 1 }),
    shape: [2],
    expected: [32768 * TERM * TERM, 32768 * TERM * TERM],
    ...long,
  },
  'long, the length of a vector': {
    inputs: (d) => [terms(d, [90000])],
    fn: (x) => lengthOf(sum(square(x!))),
    shape: [],
    expected: [300 * TERM],
    ...long,
  },
  'long, variance and deviation far from zero': {
    inputs: (d) => [aroundThousand(d, [65536])],
    fn: (x) => [variance(x!), std(x!)],
    shape: [],
    expected: [0.25],
    ...long,
  },
  'long, the gradient of a bias': {
    inputs: (d) => [terms(d, [8, 2, 64, 64]), d.of([0, 0], [2, 1, 1])],
    fn: (x, bias) => gradients([sum(mul(add(x!, bias!), x!))], [bias!]),
    shape: [2, 1, 1],
    expected: [32768 * TERM, 32768 * TERM],
    ...long,
  },
  'long, the gradient of a weight': {
    inputs: (d) => [terms(d, [40000, 2]), d.of([0], [1])],
    fn: (x, weight) => gradients([sum(mul(x!, weight!))], [weight!]),
    shape: [1],
    expected: [80000 * TERM],
    ...long,
  },
});

const others: readonly ConformanceRow[] = [
  ...rowsOf('cumsum', {
    'long, first axis': {
      inputs: (d) => [terms(d, [20001, 2])],
      fn: (x) => cumsum(x!, { axis: 0 }),
      shape: [20001, 2],
      expected: Array.from({ length: 40002 }, (_, i) => ((i >> 1) + 1) * TERM),
      ...long,
    },
    'long, reverse': {
      inputs: (d) => [terms(d, [30000])],
      fn: (x) => cumsum(x!, { direction: 'reverse' }),
      shape: [30000],
      expected: Array.from({ length: 30000 }, (_, i) => (30000 - i) * TERM),
      ...long,
    },
  }),
  ...rowsOf('matmul', {
    'long, a row of ones': {
      inputs: (d) => [d.of(new Array<number>(40000).fill(1), [1, 40000]), terms(d, [40000, 2])],
      fn: (x, y) => matmul(x!, y!),
      shape: [1, 2],
      expected: [40000 * TERM, 40000 * TERM],
      ...long,
    },
    'long, a column of ones': {
      inputs: (d) => [terms(d, [40000, 2]), d.of(new Array<number>(40000).fill(1), [1, 40000])],
      fn: (x, y) => matmul(x!, y!, { transposeA: true, transposeB: true }),
      shape: [2, 1],
      expected: [40000 * TERM, 40000 * TERM],
      ...long,
    },
    'long, a contraction to a scalar': {
      inputs: (d) => [terms(d, [200, 200]), terms(d, [200, 200])],
      fn: (x, y) => einsum('ij,ij->', x!, y!),
      shape: [],
      expected: [40000 * TERM * TERM],
      ...long,
    },
  }),
  ...rowsOf('avgPool', {
    'a window as large as the image': {
      inputs: (d) => [terms(d, [1, 2, 200, 200])],
      fn: (x) => avgPool(x!, { kernel: 200 }),
      shape: [1, 2, 1, 1],
      expected: [TERM, TERM],
      ...long,
    },
  }),
  ...rowsOf('normalize', {
    'long rows far from zero': {
      inputs: (d) => [aroundThousand(d, [1, 262144])],
      fn: (x) => {
        const { mean: average, inverseDeviation } = normalize(x!);
        return [inverseDeviation, average];
      },
      shape: [1, 1],
      expected: [1 / Math.sqrt(0.25 + 1e-5)],
      ...long,
    },
  }),
  ...rowsOf('groupNorm', {
    'large groups far from zero': {
      inputs: (d) => [aroundThousand(d, [1, 2, 128, 128]), d.of([2, 2]), d.of([0, 0])],
      fn: (x, scale, bias) => groupNorm(x!, { groups: 1, scale: scale!, bias: bias! }),
      shape: [1, 2, 128, 128],
      expected: Array.from({ length: 32768 }, (_, i) => ((i % 2) * 2 - 1) / Math.sqrt(0.25 + 1e-5)),
      ...long,
    },
  }),
];

export const longSumRows: readonly ConformanceRow[] = [...sums, ...others];
