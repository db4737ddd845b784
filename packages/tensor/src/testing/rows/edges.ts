import { gradients } from '../../autodiff/gradients.ts';
import { attention } from '../../ops/attention.ts';
import { pow } from '../../ops/binary.ts';
import { where } from '../../ops/compare.ts';
import { einsum } from '../../ops/einsum.ts';
import { sum } from '../../ops/sum.ts';
import { lengthOf, logSumExp, std } from '../../ops/statistics.ts';
import { log, square } from '../../ops/unary.ts';

import { less } from '../../ops/compare.ts';
import { NOT_FINITE, rowsOf, type ConformanceRow, type RowFunction } from '../row.ts';
import { EXACT, POINTWISE, sums } from '../tolerance.ts';

const INF = Infinity;

/** The gradients of the sum of f by all of its inputs, as results of a row: where a difference quotient has nothing to say. */
const gradientsOf =
  (f: RowFunction): RowFunction =>
  (...inputs) => {
    const y = f(...inputs);
    return gradients('shape' in y ? [sum(y)] : y.map((each) => sum(each)), inputs);
  };

const ONE_SIDED = { none: 'there is a kink; the row is its gradient' } as const;
const kink = { gradient: ONE_SIDED, tolerance: POINTWISE } as const;

/** Rows 0 and 2 of the mask keep something, row 1 keeps nothing. */
const KEPT = [1, 0, 1, 0, 0, 0, 1, 1, 1];
const ADDED = KEPT.map((keeps) => (keeps ? 0 : -INF));

export const edgeRows: readonly ConformanceRow[] = [
  ...rowsOf('pow', {
    'gradient by a base with exponent 0': {
      inputs: (d) => [d.of([0, 2, -1, NaN]), d.of([0, 0, 0, 0])],
      fn: (x, y) => gradients([sum(pow(x!, y!))], [x!]),
      shape: [4],
      expected: [0, 0, 0, 0],
      ...kink,
    },
    'gradient by a base with the number 0': {
      inputs: (d) => [d.of([0, 2, -1])],
      fn: gradientsOf((x) => pow(x!, 0)),
      shape: [3],
      expected: [0, 0, 0],
      ...kink,
    },
    'gradient by an exponent at base 0': {
      inputs: (d) => [d.of([0, 0, 0, 2, 0]), d.of([2, 0, 0.5, 1, -1])],
      fn: (x, y) => gradients([sum(pow(x!, y!))], [y!]),
      shape: [5],
      expected: [0, 0, 0, 2 * Math.LN2, -INF],
      ...kink,
    },
    'second gradient with the number 1 at 0': {
      inputs: (d) => [d.of([0, 3])],
      fn: (x) =>
        gradients(
          gradients([sum(pow(x!, 1))], [x!]).map((g) => sum(g)),
          [x!],
        ),
      shape: [2],
      expected: [0, 0],
      ...kink,
    },
  }),
  ...rowsOf('sqrt', {
    'gradient of a deviation of equal elements': {
      inputs: (d) => [d.of([0.1, 0.1, 0.1])],
      fn: gradientsOf((x) => std(x!, { correction: 1 })),
      shape: [3],
      expected: [0, 0, 0],
      ...kink,
    },
    'gradient of the length of a zero vector': {
      inputs: (d) => [d.of([0, 0, 3, 4], [2, 2])],
      fn: gradientsOf((x) => lengthOf(sum(square(x!), { axes: 1 }))),
      shape: [2, 2],
      expected: [0, 0, 0.6, 0.8],
      ...kink,
    },
  }),
  ...rowsOf('log', {
    'gradient of a masked sum of powers': {
      inputs: (d) => [d.of([-INF, 2, 1, 1], [2, 2])],
      fn: gradientsOf((x) => logSumExp(x!, { axes: 1 })),
      shape: [2, 2],
      expected: [0, 1, 0.5, 0.5],
      ...kink,
    },
    'the branch that is not taken is infinite': {
      inputs: (d) => [d.of([0, 1, 2])],
      fn: (x) => where({ if: less(0, x!), then: log(x!), else: 0 }),
      shape: [3],
      expected: [0, 0, Math.LN2],
      gradient: NOT_FINITE,
      tolerance: POINTWISE,
    },
  }),
  ...rowsOf('slice', {
    'a diagonal beside infinities': {
      inputs: (d) => [d.of([1, INF, NaN, 2], [2, 2])],
      fn: (x) => einsum('ii->i', x!),
      shape: [2],
      expected: [1, 2],
      gradient: NOT_FINITE,
      tolerance: EXACT,
    },
    'gradient of a diagonal beside infinities': {
      inputs: (d) => [d.of([1, INF, NaN, 2], [2, 2])],
      fn: gradientsOf((x) => einsum('ii->i', x!)),
      shape: [2, 2],
      expected: [1, 0, 0, 1],
      gradient: NOT_FINITE,
      tolerance: EXACT,
    },
    'a diagonal of outer axes': {
      inputs: (d) => [d.smooth([3, 2, 3])],
      fn: (x) => einsum('iji->ji', x!),
      shape: [2, 3],
      gradient: 'second',
      tolerance: EXACT,
    },
  }),
  ...rowsOf('attention', {
    'a row that is masked everywhere': {
      inputs: (d) => [d.smooth([1, 2, 3, 4]), d.smooth([1, 2, 3, 4]), d.smooth([1, 2, 3, 2]), d.of(ADDED, [1, 1, 3, 3])],
      fn: (...[q, k, v, mask]) => attention({ q: q!, k: k!, v: v!, mask: mask! }),
      shape: [1, 2, 3, 2],
      gradient: { none: 'a mask of -infinity has no gradient; the next rows are about the others' },
      tolerance: sums(8),
    },
    'a row of bools that is masked everywhere': {
      inputs: (d) => [d.smooth([1, 2, 3, 4]), d.smooth([1, 2, 3, 4]), d.smooth([1, 2, 3, 2]), d.of(KEPT, [3, 3], 'bool')],
      fn: (...[q, k, v, mask]) => attention({ q: q!, k: k!, v: v!, mask: mask! }),
      shape: [1, 2, 3, 2],
      gradient: 'second',
      tolerance: sums(8),
    },
    'nothing is kept': {
      inputs: (d) => [d.smooth([1, 1, 2, 4]), d.smooth([1, 1, 3, 4]), d.smooth([1, 1, 3, 2]), d.of([0], [], 'bool')],
      fn: (...[q, k, v, mask]) => attention({ q: q!, k: k!, v: v!, mask: mask! }),
      shape: [1, 1, 2, 2],
      expected: [0, 0, 0, 0],
      gradient: { none: 'the result is constant' },
      tolerance: EXACT,
    },
    'gradients of a row that is masked everywhere': {
      inputs: (d) => [d.smooth([1, 1, 2, 3]), d.smooth([1, 1, 3, 3]), d.smooth([1, 1, 3, 2]), d.of([-INF, -INF, -INF], [1, 3])],
      fn: (...[q, k, v, mask]) => gradients([sum(attention({ q: q!, k: k!, v: v!, mask: mask! }))], [q!, k!, v!, mask!]),
      shape: [1, 1, 2, 3],
      expected: [0, 0, 0, 0, 0, 0],
      gradient: NOT_FINITE,
      tolerance: EXACT,
    },
  }),
];
