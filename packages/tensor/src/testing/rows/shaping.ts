import { broadcastTo, flatten, reshape, transpose } from '../../ops/shaping.ts';
import { concat, flip, pad, repeat, roll, slice, stack, tile } from '../../ops/slicing.ts';
import { barrier } from '../../ops/schedule.ts';
import { checkpoint } from '../../autodiff/checkpoint.ts';
import { mul } from '../../ops/binary.ts';
import { sin } from '../../ops/unary.ts';
import { EMPTY, INTEGRAL, NOT_FINITE, rowsOf, type ConformanceRow } from '../row.ts';
import { EXACT, POINTWISE, sums } from '../tolerance.ts';

export const shapingRows: readonly ConformanceRow[] = [
  ...rowsOf('reshape', {
    merge: { inputs: (d) => [d.smooth([2, 3, 4])], fn: (x) => reshape(x!, [6, -1]), shape: [6, 4], gradient: 'second', tolerance: EXACT },
    'scalar to matrix': { inputs: (d) => [d.smooth([])], fn: (x) => reshape(x!, [1, 1]), shape: [1, 1], gradient: 'second', tolerance: EXACT },
    'matrix to scalar': { inputs: (d) => [d.smooth([1, 1])], fn: (x) => reshape(x!, []), shape: [], gradient: 'second', tolerance: EXACT },
    'uint8 flatten': { inputs: (d) => [d.integers([2, 3], 0, 256, 'uint8')], fn: (x) => flatten(x!), shape: [6], dtype: 'uint8', gradient: INTEGRAL, tolerance: EXACT },
    empty: { inputs: (d) => [d.of([], [0, 3])], fn: (x) => reshape(x!, [2, 0]), shape: [2, 0], expected: [], gradient: EMPTY, tolerance: EXACT },
  }),
  ...rowsOf('transpose', {
    matrix: { inputs: (d) => [d.of([1, 2, 3, 4, 5, 6], [2, 3])], fn: (x) => transpose(x!), shape: [3, 2], expected: [1, 4, 2, 5, 3, 6], gradient: 'second', tolerance: EXACT },
    'four axes, cyclic': { inputs: (d) => [d.smooth([2, 3, 4, 5])], fn: (x) => transpose(x!, [1, 2, 3, 0]), shape: [3, 4, 5, 2], gradient: 'second', tolerance: EXACT },
    'negative axes': { inputs: (d) => [d.smooth([2, 3, 4])], fn: (x) => transpose(x!, [0, -1, -2]), shape: [2, 4, 3], gradient: 'first', tolerance: EXACT },
    int32: { inputs: (d) => [d.of([1, 2, 3, 4], [2, 2], 'int32')], fn: (x) => transpose(x!), shape: [2, 2], dtype: 'int32', expected: [1, 3, 2, 4], gradient: INTEGRAL, tolerance: EXACT },
  }),
  ...rowsOf('broadcastTo', {
    'new and size-1 axes': { inputs: (d) => [d.smooth([3, 1])], fn: (x) => broadcastTo(x!, [2, 3, 4]), shape: [2, 3, 4], gradient: 'second', tolerance: EXACT },
    scalar: { inputs: (d) => [d.smooth([])], fn: (x) => broadcastTo(x!, [2, 2]), shape: [2, 2], gradient: 'second', tolerance: EXACT },
    bool: { inputs: (d) => [d.of([1, 0], [2, 1], 'bool')], fn: (x) => broadcastTo(x!, [2, 2]), shape: [2, 2], dtype: 'bool', expected: [1, 1, 0, 0], gradient: INTEGRAL, tolerance: EXACT },
    'to an empty shape': { inputs: (d) => [d.smooth([1, 3])], fn: (x) => broadcastTo(x!, [0, 3]), shape: [0, 3], expected: [], gradient: EMPTY, tolerance: EXACT },
    'repeat and tile': { inputs: (d) => [d.of([1, 2], [1, 2])], fn: (x) => tile(repeat(x!, 2, 1), [2, 1]), shape: [2, 4], expected: [1, 1, 2, 2, 1, 1, 2, 2], gradient: 'first', tolerance: EXACT },
  }),
  ...rowsOf('slice', {
    'middle of two axes': { inputs: (d) => [d.smooth([4, 5])], fn: (x) => slice(x!, { 0: { start: 1, stop: 3 }, 1: { start: 1 } }), shape: [2, 4], gradient: 'second', tolerance: EXACT },
    'step 2 from the end': { inputs: (d) => [d.of([0, 1, 2, 3, 4, 5, 6])], fn: (x) => slice(x!, { [-1]: { start: -6, stop: -1, step: 2 } }), shape: [3], expected: [1, 3, 5], gradient: 'second', tolerance: EXACT },
    'steps on two axes, uneven': { inputs: (d) => [d.smooth([5, 7])], fn: (x) => slice(x!, { 0: { step: 2 }, 1: { start: 1, step: 3 } }), shape: [3, 2], gradient: 'second', tolerance: EXACT },
    'to nothing': { inputs: (d) => [d.smooth([3, 2])], fn: (x) => slice(x!, { 0: { start: 1, stop: 1 } }), shape: [0, 2], expected: [], gradient: EMPTY, tolerance: EXACT },
    int32: { inputs: (d) => [d.of([1, 2, 3], [3], 'int32')], fn: (x) => slice(x!, { 0: { start: 1 } }), shape: [2], dtype: 'int32', expected: [2, 3], gradient: INTEGRAL, tolerance: EXACT },
  }),
  ...rowsOf('pad', {
    'zeros, asymmetric': { inputs: (d) => [d.smooth([2, 3])], fn: (x) => pad(x!, [[1, 0], [0, 2]]), shape: [3, 5], gradient: 'second', tolerance: EXACT },
    'a value': { inputs: (d) => [d.of([1, 2])], fn: (x) => pad(x!, [[1, 2]], 7.5), shape: [5], expected: [7.5, 1, 2, 7.5, 7.5], gradient: 'second', tolerance: EXACT },
    '-infinity': { inputs: (d) => [d.of([1, 2])], fn: (x) => pad(x!, [[1, 0]], -Infinity), shape: [3], expected: [-Infinity, 1, 2], gradient: NOT_FINITE, tolerance: EXACT },
    int32: { inputs: (d) => [d.of([1, 2], [2], 'int32')], fn: (x) => pad(x!, [[0, 1]], -1), shape: [3], dtype: 'int32', expected: [1, 2, -1], gradient: INTEGRAL, tolerance: EXACT },
    'five axes': { inputs: (d) => [d.smooth([1, 2, 1, 2, 1])], fn: (x) => pad(x!, [[0, 0], [0, 0], [1, 1], [0, 1], [2, 0]]), shape: [1, 2, 3, 3, 3], gradient: 'first', tolerance: EXACT },
  }),
  ...rowsOf('concat', {
    'unequal parts, inner axis': { inputs: (d) => [d.smooth([2, 1, 2]), d.smooth([2, 3, 2]), d.smooth([2, 2, 2])], fn: (a, b, c) => concat([a!, b!, c!], 1), shape: [2, 6, 2], gradient: 'second', tolerance: EXACT },
    'one part empty': { inputs: (d) => [d.smooth([2, 2]), d.of([], [0, 2])], fn: (a, b) => concat([a!, b!], 0), shape: [2, 2], gradient: 'first', tolerance: EXACT },
    'stack of one tensor': { inputs: (d) => [d.smooth([3])], fn: (a) => stack([a!, a!], -1), shape: [3, 2], gradient: 'second', tolerance: EXACT },
    int32: { inputs: (d) => [d.of([1], [1], 'int32'), d.of([2, 3], [2], 'int32')], fn: (a, b) => concat([a!, b!]), shape: [3], dtype: 'int32', expected: [1, 2, 3], gradient: INTEGRAL, tolerance: EXACT },
    roll: { inputs: (d) => [d.of([1, 2, 3, 4])], fn: (x) => roll(x!, 5), shape: [4], expected: [4, 1, 2, 3], gradient: 'first', tolerance: EXACT },
  }),
  ...rowsOf('flip', {
    'last axis': { inputs: (d) => [d.of([1, 2, 3, 4], [2, 2])], fn: (x) => flip(x!, -1), shape: [2, 2], expected: [2, 1, 4, 3], gradient: 'second', tolerance: EXACT },
    'two of three axes': { inputs: (d) => [d.smooth([2, 3, 4])], fn: (x) => flip(x!, [0, 2]), shape: [2, 3, 4], gradient: 'second', tolerance: EXACT },
    int32: { inputs: (d) => [d.of([1, 2, 3], [3], 'int32')], fn: (x) => flip(x!, 0), shape: [3], dtype: 'int32', expected: [3, 2, 1], gradient: INTEGRAL, tolerance: EXACT },
  }),
  ...rowsOf('barrier', {
    'value and gradient pass': { inputs: (d) => [d.smooth([3]), d.smooth([2])], fn: (x, token) => mul(barrier(x!, token!), x!), shape: [3], gradient: 'second', tolerance: POINTWISE },
  }),
  ...rowsOf('checkpoint', {
    'two arguments': { inputs: (d) => [d.smooth([3]), d.smooth([2, 1])], fn: (x, y) => checkpoint((a: typeof x, b: typeof x) => sin(mul(a!, sin(b!))))(x!, y!), shape: [2, 3], gradient: 'second', tolerance: sums(6) },
  }),
];
