import { equal, less, lessEqual, logicalAnd, logicalOr, where } from '../../ops/compare.ts';
import { INTEGRAL, NOT_FINITE, rowsOf, type ConformanceRow } from '../row.ts';
import { EXACT } from '../tolerance.ts';

const INF = Infinity;

export const comparisonRows: readonly ConformanceRow[] = [
  ...rowsOf('equal', {
    'NaN is not itself': {
      inputs: (d) => [d.of([1, NaN, INF, 0]), d.of([1, NaN, INF, -0])],
      fn: (a, b) => equal(a!, b!),
      shape: [4],
      dtype: 'bool',
      expected: [1, 0, 1, 1],
      gradient: INTEGRAL,
      tolerance: EXACT,
    },
    'int32 broadcast': {
      inputs: (d) => [d.of([0, 1, 2], [3, 1], 'int32'), d.of([0, 1], [2], 'int32')],
      fn: (a, b) => equal(a!, b!),
      shape: [3, 2],
      dtype: 'bool',
      expected: [1, 0, 0, 1, 0, 0],
      gradient: INTEGRAL,
      tolerance: EXACT,
    },
    uint8: {
      inputs: (d) => [d.of([0, 255], [2], 'uint8'), d.of([0, 254], [2], 'uint8')],
      fn: (a, b) => equal(a!, b!),
      shape: [2],
      dtype: 'bool',
      expected: [1, 0],
      gradient: INTEGRAL,
      tolerance: EXACT,
    },
  }),
  ...rowsOf('less', {
    'NaN compares false': {
      inputs: (d) => [d.of([1, NaN, -INF, 2]), d.of([2, 1, INF, 2])],
      fn: (a, b) => less(a!, b!),
      shape: [4],
      dtype: 'bool',
      expected: [1, 0, 1, 0],
      gradient: INTEGRAL,
      tolerance: EXACT,
    },
    int32: {
      inputs: (d) => [d.of([-1, 3], [2], 'int32'), d.of([1, 3], [2], 'int32')],
      fn: (a, b) => less(a!, b!),
      shape: [2],
      dtype: 'bool',
      expected: [1, 0],
      gradient: INTEGRAL,
      tolerance: EXACT,
    },
  }),
  ...rowsOf('lessEqual', {
    'NaN compares false': {
      inputs: (d) => [d.of([1, NaN, INF, 2]), d.of([2, NaN, INF, 2])],
      fn: (a, b) => lessEqual(a!, b!),
      shape: [4],
      dtype: 'bool',
      expected: [1, 0, 1, 1],
      gradient: INTEGRAL,
      tolerance: EXACT,
    },
    int32: {
      inputs: (d) => [d.of([-1, 3, 4], [3], 'int32'), d.of([1, 3, 3], [3], 'int32')],
      fn: (a, b) => lessEqual(a!, b!),
      shape: [3],
      dtype: 'bool',
      expected: [1, 1, 0],
      gradient: INTEGRAL,
      tolerance: EXACT,
    },
  }),
  ...rowsOf('logicalAnd', {
    broadcast: {
      inputs: (d) => [d.of([0, 1], [2, 1], 'bool'), d.of([0, 1], [2], 'bool')],
      fn: (a, b) => logicalAnd(a!, b!),
      shape: [2, 2],
      dtype: 'bool',
      expected: [0, 0, 0, 1],
      gradient: INTEGRAL,
      tolerance: EXACT,
    },
  }),
  ...rowsOf('logicalOr', {
    broadcast: {
      inputs: (d) => [d.of([0, 1], [2, 1], 'bool'), d.of([0, 1], [2], 'bool')],
      fn: (a, b) => logicalOr(a!, b!),
      shape: [2, 2],
      dtype: 'bool',
      expected: [0, 1, 1, 1],
      gradient: INTEGRAL,
      tolerance: EXACT,
    },
  }),
  ...rowsOf('where', {
    'all broadcast': {
      inputs: (d) => [d.of([1, 0], [2, 1], 'bool'), d.smooth([3]), d.smooth([2, 1, 1])],
      fn: (c, a, b) => where({ if: c!, then: a!, else: b! }),
      shape: [2, 2, 3],
      gradient: 'second',
      tolerance: EXACT,
    },
    'what is not chosen does not leak': {
      inputs: (d) => [d.of([1, 0, 1], [3], 'bool'), d.of([1, NaN, -INF]), d.of([INF, 2, NaN])],
      fn: (c, a, b) => where({ if: c!, then: a!, else: b! }),
      shape: [3],
      expected: [1, 2, -INF],
      gradient: NOT_FINITE,
      tolerance: EXACT,
    },
    int32: {
      inputs: (d) => [d.of([1, 0], [2], 'bool'), d.of([7, 8], [2], 'int32')],
      fn: (c, a) => where({ if: c!, then: a!, else: -1 }),
      shape: [2],
      dtype: 'int32',
      expected: [7, -1],
      gradient: INTEGRAL,
      tolerance: EXACT,
    },
    bool: {
      inputs: (d) => [d.of([1, 0], [2], 'bool'), d.of([0, 0], [2], 'bool'), d.of([1, 1], [2], 'bool')],
      fn: (c, a, b) => where({ if: c!, then: a!, else: b! }),
      shape: [2],
      dtype: 'bool',
      expected: [0, 1],
      gradient: INTEGRAL,
      tolerance: EXACT,
    },
  }),
];
