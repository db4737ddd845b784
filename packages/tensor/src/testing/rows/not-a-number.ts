import { abs, atan, ceil, clamp, cos, erf, exp, floor, log, neg, relu, round, sigmoid, sign, sin, sqrt, tanh } from '../../ops/unary.ts';
import { maximum, minimum, pow } from '../../ops/binary.ts';
import { maxPool } from '../../ops/pool.ts';
import { argMax, max, min } from '../../ops/reduce.ts';
import { quantile, sort, topK } from '../../ops/sorting.ts';
import { logSumExp, std } from '../../ops/statistics.ts';
import { NOT_FINITE, rowsOf, type ConformanceRow } from '../row.ts';
import { EXACT, POINTWISE } from '../tolerance.ts';

const INF = Infinity;

/** NaN that an op swallows is a fault that nobody sees: it goes through, as in PyTorch and C's pow. */
const exact = { gradient: NOT_FINITE, tolerance: EXACT } as const;

const FUNCTIONS = { neg, abs, exp, log, sqrt, sin, cos, atan, tanh, sigmoid, erf, floor, ceil, round } as const;

export const notANumberRows: readonly ConformanceRow[] = [
  ...Object.entries(FUNCTIONS).flatMap(([op, fn]) =>
    rowsOf(op as keyof typeof FUNCTIONS, {
      NaN: { inputs: (d) => [d.of([NaN, NaN, NaN])], fn: (x) => fn(x!), shape: [3], expected: [NaN, NaN, NaN], ...exact },
    }),
  ),
  ...rowsOf('max', {
    'NaN in any place': {
      inputs: (d) => [d.of([NaN, 3, 1, 3, NaN, 1, 3, 1, NaN, 1, 2, INF, -INF, -INF, NaN], [5, 3])],
      fn: (x) => max(x!, { axes: 1 }),
      shape: [5],
      expected: [NaN, NaN, NaN, INF, NaN],
      ...exact,
    },
    'NaN among many': {
      inputs: (d) => [
        d.of(
          Array.from({ length: 100 }, (_, i) => (i === 57 ? NaN : i)),
          [100],
        ),
      ],
      fn: (x) => max(x!),
      shape: [],
      expected: [NaN],
      ...exact,
    },
    'NaN along the first axis': {
      inputs: (d) => [d.of([NaN, 1, 2, 3, 4, NaN], [3, 2])],
      fn: (x) => max(x!, { axes: 0, dims: 'keep' }),
      shape: [1, 2],
      expected: [NaN, NaN],
      ...exact,
    },
    'NaN in a minimum': {
      inputs: (d) => [d.of([1, NaN, 3, 1], [2, 2])],
      fn: (x) => min(x!, { axes: 1 }),
      shape: [2],
      expected: [NaN, 1],
      ...exact,
    },
    'infinite logarithm of a sum of powers': {
      inputs: (d) => [d.of([INF, 1, -INF, -INF, INF, INF, -INF, 2, NaN, 1], [5, 2])],
      fn: (x) => logSumExp(x!, { axes: 1 }),
      shape: [5],
      expected: [INF, -INF, INF, 2, NaN],
      ...exact,
    },
  }),
  ...rowsOf('argMax', {
    'NaN is the largest': {
      inputs: (d) => [d.of([1, NaN, 3, NaN, NaN, 1, 2, 3, 1, INF, 3, NaN, -INF, -INF, -INF, -INF], [4, 4])],
      fn: (x) => argMax(x!),
      shape: [4],
      dtype: 'int32',
      expected: [1, 0, 3, 0],
      ...exact,
    },
  }),
  ...rowsOf('maximum', {
    'NaN on either side': {
      inputs: (d) => [d.of([NaN, 1, NaN, INF, -INF]), d.of([1, NaN, NaN, -INF, NaN])],
      fn: (x, y) => maximum(x!, y!),
      shape: [5],
      expected: [NaN, NaN, NaN, INF, NaN],
      ...exact,
    },
    'NaN in relu and clamp': {
      inputs: (d) => [d.of([NaN, 1, -1, 5, NaN, NaN, NaN, NaN, NaN])],
      fn: (x) => [relu(x!), clamp(x!, { min: 0, max: 2 })],
      shape: [9],
      expected: [NaN, 1, 0, 5, NaN, NaN, NaN, NaN, NaN],
      ...exact,
    },
  }),
  ...rowsOf('minimum', {
    'NaN on either side': {
      inputs: (d) => [d.of([NaN, 1, NaN, INF, -INF]), d.of([1, NaN, NaN, -INF, NaN])],
      fn: (x, y) => minimum(x!, y!),
      shape: [5],
      expected: [NaN, NaN, NaN, -INF, NaN],
      ...exact,
    },
  }),
  ...rowsOf('sign', {
    'NaN and infinities': { inputs: (d) => [d.of([NaN, INF, -INF])], fn: (x) => sign(x!), shape: [3], expected: [NaN, 1, -1], ...exact },
  }),
  ...rowsOf('pow', {
    'as in C': {
      inputs: (d) => [d.of([NaN, 0, 0, NaN, -2, 0, 1, -1, 1]), d.of([0, 0, NaN, 1, 3, -1, INF, INF, NaN])],
      fn: (x, y) => pow(x!, y!),
      shape: [9],
      expected: [1, 1, NaN, NaN, -8, INF, 1, 1, 1],
      gradient: NOT_FINITE,
      tolerance: POINTWISE,
    },
  }),
  ...rowsOf('maxPool', {
    NaN: {
      inputs: (d) => [d.of([NaN, 1, 2, NaN, NaN, NaN, 3, 4, -INF, -INF], [1, 1, 10])],
      fn: (x) => maxPool(x!, { kernel: 2 }),
      shape: [1, 1, 5],
      expected: [NaN, NaN, NaN, 4, -INF],
      ...exact,
    },
    'NaN in an image': {
      inputs: (d) => [d.of([NaN, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15], [1, 1, 4, 4])],
      fn: (x) => maxPool(x!, { kernel: 3, stride: 2, padding: 1 }),
      shape: [1, 1, 2, 2],
      expected: [NaN, 7, 13, 15],
      ...exact,
    },
  }),
  ...rowsOf('topKIndices', {
    'NaN is sorted last': {
      inputs: (d) => [d.of([3, NaN, INF, NaN, -INF, INF])],
      fn: (x) => sort(x!).indices,
      shape: [6],
      dtype: 'int32',
      expected: [4, 0, 2, 5, 1, 3],
      ...exact,
    },
    'NaN comes first in falling order': {
      inputs: (d) => [d.of([3, NaN, INF, NaN, -INF, INF])],
      fn: (x) => sort(x!, { order: 'largest' }).indices,
      shape: [6],
      dtype: 'int32',
      expected: [1, 3, 2, 5, 0, 4],
      ...exact,
    },
    'NaN among the largest, first axis': {
      inputs: (d) => [d.of([1, 5, NaN, INF, 2, NaN, 0, 4], [4, 2])],
      fn: (x) => topK(x!, 2, { axis: 0 }).values,
      shape: [2, 2],
      expected: [NaN, NaN, 2, INF],
      ...exact,
    },
    'NaN beyond the smallest': {
      inputs: (d) => [d.of([3, NaN, 1, NaN, 2])],
      fn: (x) => topK(x!, 3, { order: 'smallest' }).indices,
      shape: [3],
      dtype: 'int32',
      expected: [2, 4, 0],
      ...exact,
    },
    'quantile of NaN': {
      inputs: (d) => [d.of([3, NaN, 1, 7, 4, 2, 1, 3], [2, 4])],
      fn: (x) => quantile(x!, 0.5),
      shape: [2],
      expected: [NaN, 2.5],
      ...exact,
    },
  }),
  ...rowsOf('sum', {
    'NaN in a deviation': { inputs: (d) => [d.of([1, NaN, 2])], fn: (x) => std(x!), shape: [], expected: [NaN], ...exact },
  }),
];
