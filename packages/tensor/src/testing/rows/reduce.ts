import { argMax, cumsum, max, min } from '../../ops/reduce.ts';
import { sum } from '../../ops/sum.ts';
import { logSumExp, mean, variance } from '../../ops/statistics.ts';
import { groupNorm, layerNorm, logSoftmax, normalize, rmsNorm, softmax } from '../../ops/normalize.ts';
import { quantile, sort, topK } from '../../ops/sorting.ts';
import { EMPTY, INTEGRAL, NOT_FINITE, ROUNDING, rowsOf, type ConformanceRow } from '../row.ts';
import { EXACT, POINTWISE, sums } from '../tolerance.ts';

const INF = Infinity;

const reductions: readonly ConformanceRow[] = [
  ...rowsOf('sum', {
    all: { inputs: (d) => [d.smooth([3, 4])], fn: (x) => sum(x!), shape: [], gradient: 'second', tolerance: sums(12) },
    'first and last axis, kept': {
      inputs: (d) => [d.smooth([2, 3, 4])],
      fn: (x) => sum(x!, { axes: [0, -1], dims: 'keep' }),
      shape: [1, 3, 1],
      gradient: 'second',
      tolerance: sums(8),
    },
    'middle axis': {
      inputs: (d) => [d.smooth([2, 3, 4])],
      fn: (x) => sum(x!, { axes: 1 }),
      shape: [2, 4],
      gradient: 'first',
      tolerance: sums(3),
    },
    'size-1 axis': { inputs: (d) => [d.smooth([3, 1])], fn: (x) => sum(x!, { axes: 1 }), shape: [3], gradient: 'first', tolerance: EXACT },
    'over an empty axis is zero': {
      inputs: (d) => [d.of([], [2, 0])],
      fn: (x) => sum(x!, { axes: 1 }),
      shape: [2],
      expected: [0, 0],
      gradient: EMPTY,
      tolerance: EXACT,
    },
    int32: {
      inputs: (d) => [d.of([1, 2, 3, -4], [2, 2], 'int32')],
      fn: (x) => sum(x!, { axes: 0 }),
      shape: [2],
      dtype: 'int32',
      expected: [4, -2],
      gradient: INTEGRAL,
      tolerance: EXACT,
    },
    'mean and variance': {
      inputs: (d) => [d.smooth([2, 5])],
      fn: (x) => [mean(x!, { axes: -1 }), variance(x!, { axes: -1, correction: 1 })],
      shape: [2],
      gradient: 'second',
      tolerance: sums(5),
    },
  }),
  ...rowsOf('max', {
    'one axis': { inputs: (d) => [d.distinct([3, 4])], fn: (x) => max(x!, { axes: 1 }), shape: [3], gradient: 'second', tolerance: EXACT },
    'all, kept': {
      inputs: (d) => [d.distinct([3, 4])],
      fn: (x) => max(x!, { dims: 'keep' }),
      shape: [1, 1],
      gradient: 'second',
      tolerance: EXACT,
    },
    '-infinity': {
      inputs: (d) => [d.of([-INF, -INF, -INF, 3], [2, 2])],
      fn: (x) => max(x!, { axes: -1 }),
      shape: [2],
      expected: [-INF, 3],
      gradient: NOT_FINITE,
      tolerance: EXACT,
    },
    int32: {
      inputs: (d) => [d.of([-5, -2, 7, 3], [2, 2], 'int32')],
      fn: (x) => max(x!, { axes: 1 }),
      shape: [2],
      dtype: 'int32',
      expected: [-2, 7],
      gradient: INTEGRAL,
      tolerance: EXACT,
    },
    'minimum by negation': {
      inputs: (d) => [d.distinct([3, 4])],
      fn: (x) => min(x!, { axes: 0 }),
      shape: [4],
      gradient: 'first',
      tolerance: EXACT,
    },
    'log of a sum of large powers': {
      inputs: (d) => [d.of([1000, 1001, -1000, -1001], [2, 2])],
      fn: (x) => logSumExp(x!, { axes: 1 }),
      shape: [2],
      gradient: 'first',
      tolerance: sums(2),
    },
  }),
  ...rowsOf('argMax', {
    'first of equal ones': {
      inputs: (d) => [d.of([1, 3, 3, 2, 2, 2], [2, 3])],
      fn: (x) => argMax(x!),
      shape: [2],
      dtype: 'int32',
      expected: [1, 0],
      gradient: INTEGRAL,
      tolerance: EXACT,
    },
    'first axis': {
      inputs: (d) => [d.distinct([4, 3])],
      fn: (x) => argMax(x!, 0),
      shape: [3],
      dtype: 'int32',
      gradient: INTEGRAL,
      tolerance: EXACT,
    },
    int32: {
      inputs: (d) => [d.of([4, 9, 9], [3], 'int32')],
      fn: (x) => argMax(x!),
      shape: [],
      dtype: 'int32',
      expected: [1],
      gradient: INTEGRAL,
      tolerance: EXACT,
    },
  }),
  ...rowsOf('cumsum', {
    forward: { inputs: (d) => [d.smooth([2, 5])], fn: (x) => cumsum(x!), shape: [2, 5], gradient: 'second', tolerance: sums(5) },
    'reverse, first axis': {
      inputs: (d) => [d.smooth([4, 2])],
      fn: (x) => cumsum(x!, { axis: 0, direction: 'reverse' }),
      shape: [4, 2],
      gradient: 'second',
      tolerance: sums(4),
    },
    int32: {
      inputs: (d) => [d.of([1, 2, 3], [3], 'int32')],
      fn: (x) => cumsum(x!),
      shape: [3],
      dtype: 'int32',
      expected: [1, 3, 6],
      gradient: INTEGRAL,
      tolerance: EXACT,
    },
  }),
  ...rowsOf('topKIndices', {
    'largest, ties by index': {
      inputs: (d) => [d.of([2, 5, 5, 1, 5])],
      fn: (x) => topK(x!, 4).indices,
      shape: [4],
      dtype: 'int32',
      expected: [1, 2, 4, 0],
      gradient: INTEGRAL,
      tolerance: EXACT,
    },
    'smallest, ties by index': {
      inputs: (d) => [d.of([2, 1, 5, 1, 2])],
      fn: (x) => topK(x!, 3, { order: 'smallest' }).indices,
      shape: [3],
      dtype: 'int32',
      expected: [1, 3, 0],
      gradient: INTEGRAL,
      tolerance: EXACT,
    },
    'values along the first axis': {
      inputs: (d) => [d.distinct([5, 3])],
      fn: (x) => topK(x!, 2, { axis: 0 }).values,
      shape: [2, 3],
      gradient: 'second',
      tolerance: EXACT,
    },
    'stable sort': { inputs: (d) => [d.distinct([3, 5])], fn: (x) => sort(x!).values, shape: [3, 5], gradient: 'second', tolerance: EXACT },
    'sort with infinities': {
      inputs: (d) => [d.of([INF, 1, -INF, 0])],
      fn: (x) => sort(x!).indices,
      shape: [4],
      dtype: 'int32',
      expected: [2, 3, 1, 0],
      gradient: INTEGRAL,
      tolerance: EXACT,
    },
    quantile: { inputs: (d) => [d.distinct([3, 5])], fn: (x) => quantile(x!, 0.3), shape: [3], gradient: 'first', tolerance: POINTWISE },
  }),
];

const normalisations: readonly ConformanceRow[] = [
  ...rowsOf('softmax', {
    'last axis': { inputs: (d) => [d.smooth([3, 4])], fn: (x) => softmax(x!), shape: [3, 4], gradient: 'second', tolerance: sums(4) },
    'channel axis': {
      inputs: (d) => [d.smooth([2, 3, 2])],
      fn: (x) => softmax(x!, 1),
      shape: [2, 3, 2],
      gradient: 'second',
      tolerance: sums(3),
    },
    'large magnitudes': {
      inputs: (d) => [d.of([1000, 1001, -1000, 0, 0, 80], [2, 3])],
      fn: (x) => softmax(x!),
      shape: [2, 3],
      gradient: 'first',
      tolerance: sums(3),
    },
    'masked with -infinity': {
      inputs: (d) => [d.of([0, -INF, 0, -INF], [2, 2])],
      fn: (x) => softmax(x!),
      shape: [2, 2],
      expected: [1, 0, 1, 0],
      gradient: NOT_FINITE,
      tolerance: EXACT,
    },
    'one element': {
      inputs: (d) => [d.smooth([3, 1])],
      fn: (x) => softmax(x!),
      shape: [3, 1],
      expected: [1, 1, 1],
      gradient: 'first',
      tolerance: EXACT,
    },
    'logarithm of it': {
      inputs: (d) => [d.smooth([3, 4])],
      fn: (x) => logSoftmax(x!),
      shape: [3, 4],
      gradient: 'second',
      tolerance: sums(4),
    },
    'logarithm of it, of large numbers': {
      inputs: (d) => [d.of([1e8, 1e8, 16384, 16385], [2, 2])],
      fn: (x) => logSoftmax(x!),
      shape: [2, 2],
      expected: [-Math.LN2, -Math.LN2, -1 - Math.log1p(Math.exp(-1)), -Math.log1p(Math.exp(-1))],
      gradient: ROUNDING,
      tolerance: sums(2),
    },
    float16: {
      inputs: (d) => [d.smooth([2, 3], 'float16')],
      fn: (x) => softmax(x!),
      shape: [2, 3],
      dtype: 'float16',
      gradient: 'first',
      tolerance: sums(3),
    },
  }),
  ...rowsOf('normalize', {
    'all three results': {
      inputs: (d) => [d.smooth([2, 3, 4])],
      fn: (x) => {
        const { y, mean: average, inverseDeviation } = normalize(x!);
        return [y, average, inverseDeviation];
      },
      shape: [2, 3, 4],
      gradient: 'second',
      tolerance: sums(8),
    },
    'two axes': {
      inputs: (d) => [d.smooth([2, 3, 4])],
      fn: (x) => normalize(x!, { axes: 2, epsilon: 1e-3 }).y,
      shape: [2, 3, 4],
      gradient: 'second',
      tolerance: sums(12),
    },
    'only the deviation': {
      inputs: (d) => [d.smooth([2, 6])],
      fn: (x) => normalize(x!).inverseDeviation,
      shape: [2, 1],
      gradient: 'first',
      tolerance: sums(6),
    },
    'constant rows stay finite': {
      inputs: (d) => [d.of([2, 2, 2, 2], [1, 4])],
      fn: (x) => normalize(x!).y,
      shape: [1, 4],
      expected: [0, 0, 0, 0],
      gradient: { none: 'with so small a deviation no step is small enough' },
      tolerance: EXACT,
    },
    'layer norm': {
      inputs: (d) => [d.smooth([3, 6]), d.smooth([6]), d.smooth([6])],
      fn: (x, scale, bias) => layerNorm(x!, { scale, bias }),
      shape: [3, 6],
      gradient: 'second',
      tolerance: sums(8),
    },
    'RMS norm': {
      inputs: (d) => [d.smooth([3, 6]), d.smooth([6])],
      fn: (x, scale) => rmsNorm(x!, { scale: scale! }),
      shape: [3, 6],
      gradient: 'second',
      tolerance: sums(8),
    },
  }),
  ...rowsOf('groupNorm', {
    image: {
      inputs: (d) => [d.smooth([2, 4, 2, 3]), d.smooth([4]), d.smooth([4])],
      fn: (x, scale, bias) => groupNorm(x!, { groups: 2, scale: scale!, bias: bias! }),
      shape: [2, 4, 2, 3],
      gradient: 'second',
      tolerance: sums(24),
    },
    'one group': {
      inputs: (d) => [d.smooth([2, 3, 4]), d.smooth([3]), d.smooth([3])],
      fn: (x, scale, bias) => groupNorm(x!, { groups: 1, scale: scale!, bias: bias! }),
      shape: [2, 3, 4],
      gradient: 'first',
      tolerance: sums(12),
    },
    'a group for each channel': {
      inputs: (d) => [d.smooth([1, 3, 5]), d.smooth([3]), d.smooth([3])],
      fn: (x, scale, bias) => groupNorm(x!, { groups: 3, scale: scale!, bias: bias! }),
      shape: [1, 3, 5],
      gradient: 'first',
      tolerance: sums(8),
    },
  }),
];

export const reduceRows: readonly ConformanceRow[] = [...reductions, ...normalisations];
