import { gather, gatherElements, oneHot, scatterAdd, scatterElementsAdd } from '../../ops/indexing.ts';
import { EMPTY, INTEGRAL, rowsOf, type ConformanceRow } from '../row.ts';
import { EXACT, sums } from '../tolerance.ts';

export const indexingRows: readonly ConformanceRow[] = [
  ...rowsOf('gather', {
    'rows, repeated': {
      inputs: (d) => [d.smooth([4, 3]), d.of([2, 0, 2, 3, 2], [5], 'int32')],
      fn: (x, i) => gather(x!, i!),
      shape: [5, 3],
      gradient: 'second',
      tolerance: EXACT,
    },
    'matrix of indices into the last axis': {
      inputs: (d) => [d.smooth([2, 4]), d.of([3, 0, 1, 1], [2, 2], 'int32')],
      fn: (x, i) => gather(x!, i!, -1),
      shape: [2, 2, 2],
      gradient: 'second',
      tolerance: EXACT,
    },
    'scalar index drops the axis': {
      inputs: (d) => [d.smooth([3, 2]), d.of([1], [], 'int32')],
      fn: (x, i) => gather(x!, i!),
      shape: [2],
      gradient: 'first',
      tolerance: EXACT,
    },
    int32: {
      inputs: (d) => [d.of([10, 20, 30], [3], 'int32'), d.of([2, 0], [2], 'int32')],
      fn: (x, i) => gather(x!, i!),
      shape: [2],
      dtype: 'int32',
      expected: [30, 10],
      gradient: INTEGRAL,
      tolerance: EXACT,
    },
    'no indices': {
      inputs: (d) => [d.smooth([3, 2]), d.of([], [0], 'int32')],
      fn: (x, i) => gather(x!, i!),
      shape: [0, 2],
      expected: [],
      gradient: EMPTY,
      tolerance: EXACT,
    },
  }),
  ...rowsOf('scatterAdd', {
    'duplicates add up': {
      inputs: (d) => [d.of([1, 2, 3, 4]), d.of([1, 0, 1, 1], [4], 'int32')],
      fn: (u, i) => scatterAdd(u!, i!, { axis: 0, size: 3 }),
      shape: [3],
      expected: [2, 8, 0],
      gradient: 'second',
      tolerance: EXACT,
    },
    rows: {
      inputs: (d) => [d.smooth([5, 3]), d.of([2, 0, 2, 3, 2], [5], 'int32')],
      fn: (u, i) => scatterAdd(u!, i!, { axis: 0, size: 4 }),
      shape: [4, 3],
      gradient: 'second',
      tolerance: sums(3),
    },
    'matrix of indices, inner axis': {
      inputs: (d) => [d.smooth([2, 2, 2, 3]), d.of([3, 0, 1, 1], [2, 2], 'int32')],
      fn: (u, i) => scatterAdd(u!, i!, { axis: 1, size: 4 }),
      shape: [2, 4, 3],
      gradient: 'first',
      tolerance: sums(2),
    },
  }),
  ...rowsOf('gatherElements', {
    'last axis': {
      inputs: (d) => [d.smooth([2, 4]), d.of([3, 3, 0, 1, 2, 1], [2, 3], 'int32')],
      fn: (x, i) => gatherElements(x!, i!),
      shape: [2, 3],
      gradient: 'second',
      tolerance: EXACT,
    },
    'first axis': {
      inputs: (d) => [d.smooth([3, 2]), d.of([2, 0, 0, 1], [2, 2], 'int32')],
      fn: (x, i) => gatherElements(x!, i!, 0),
      shape: [2, 2],
      gradient: 'second',
      tolerance: EXACT,
    },
    int32: {
      inputs: (d) => [d.of([10, 20, 30], [3], 'int32'), d.of([2, 0], [2], 'int32')],
      fn: (x, i) => gatherElements(x!, i!),
      shape: [2],
      dtype: 'int32',
      expected: [30, 10],
      gradient: INTEGRAL,
      tolerance: EXACT,
    },
  }),
  ...rowsOf('scatterElementsAdd', {
    'duplicates add up': {
      inputs: (d) => [d.of([1, 2, 3, 4, 5, 6], [2, 3]), d.of([1, 1, 0, 3, 3, 3], [2, 3], 'int32')],
      fn: (u, i) => scatterElementsAdd(u!, i!, { axis: 1, size: 4 }),
      shape: [2, 4],
      expected: [3, 3, 0, 0, 0, 0, 0, 15],
      gradient: 'second',
      tolerance: EXACT,
    },
    'first axis': {
      inputs: (d) => [d.smooth([3, 2]), d.of([2, 0, 2, 1, 0, 1], [3, 2], 'int32')],
      fn: (u, i) => scatterElementsAdd(u!, i!, { axis: 0, size: 3 }),
      shape: [3, 2],
      gradient: 'second',
      tolerance: sums(3),
    },
  }),
  ...rowsOf('equal', {
    'one-hot rows, out of range is empty': {
      inputs: (d) => [d.of([2, 0, 5], [3], 'int32')],
      fn: (i) => oneHot(i!, 3),
      shape: [3, 3],
      expected: [0, 0, 1, 1, 0, 0, 0, 0, 0],
      gradient: INTEGRAL,
      tolerance: EXACT,
    },
  }),
];
