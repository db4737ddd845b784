import { apply1 } from '../../graph/node.ts';
import type { ConvParams, PrimitiveParams } from '../../graph/primitives.ts';
import { attention } from '../../ops/attention.ts';
import { conv, convTranspose, convWeightGradOp } from '../../ops/conv.ts';
import { einsum } from '../../ops/einsum.ts';
import { matmul } from '../../ops/matmul.ts';
import { avgPool, maxPool } from '../../ops/pool.ts';
import { resize } from '../../ops/resize.ts';
import { tensor } from '../../ops/create.ts';
import type { Tensor } from '../../tensor.ts';
import { EMPTY, rowsOf, type ConformanceRow } from '../row.ts';
import { EXACT, sums } from '../tolerance.ts';

const INF = Infinity;

const products: readonly ConformanceRow[] = [
  ...rowsOf('matmul', {
    matrices: {
      inputs: (d) => [d.smooth([3, 4]), d.smooth([4, 2])],
      fn: (a, b) => matmul(a!, b!),
      shape: [3, 2],
      gradient: 'second',
      tolerance: sums(4),
    },
    'a transposed': {
      inputs: (d) => [d.smooth([4, 3]), d.smooth([4, 2])],
      fn: (a, b) => matmul(a!, b!, { transposeA: true }),
      shape: [3, 2],
      gradient: 'second',
      tolerance: sums(4),
    },
    'b transposed': {
      inputs: (d) => [d.smooth([3, 4]), d.smooth([2, 4])],
      fn: (a, b) => matmul(a!, b!, { transposeB: true }),
      shape: [3, 2],
      gradient: 'second',
      tolerance: sums(4),
    },
    'both transposed, batched': {
      inputs: (d) => [d.smooth([2, 4, 3]), d.smooth([2, 2, 4])],
      fn: (a, b) => matmul(a!, b!, { transposeA: true, transposeB: true }),
      shape: [2, 3, 2],
      gradient: 'second',
      tolerance: sums(4),
    },
    'batch axes broadcast': {
      inputs: (d) => [d.smooth([2, 1, 3, 4]), d.smooth([5, 4, 2])],
      fn: (a, b) => matmul(a!, b!),
      shape: [2, 5, 3, 2],
      gradient: 'second',
      tolerance: sums(15),
    },
    'tokens by a matrix': {
      inputs: (d) => [d.smooth([2, 3, 4]), d.smooth([5, 4])],
      fn: (a, b) => matmul(a!, b!, { transposeB: true }),
      shape: [2, 3, 5],
      gradient: 'second',
      tolerance: sums(6),
    },
    'a matrix by a batch': {
      inputs: (d) => [d.smooth([3, 4]), d.smooth([2, 4, 2])],
      fn: (a, b) => matmul(a!, b!),
      shape: [2, 3, 2],
      gradient: 'first',
      tolerance: sums(4),
    },
    'a transposed matrix by a batch': {
      inputs: (d) => [d.smooth([4, 3]), d.smooth([2, 4, 2])],
      fn: (a, b) => matmul(a!, b!, { transposeA: true }),
      shape: [2, 3, 2],
      gradient: 'first',
      tolerance: sums(4),
    },
    'outer product': {
      inputs: (d) => [d.smooth([3, 1]), d.smooth([1, 2])],
      fn: (a, b) => matmul(a!, b!),
      shape: [3, 2],
      gradient: 'second',
      tolerance: sums(3),
    },
    'longer than any vector register': {
      inputs: (d) => [d.smooth([5, 67]), d.smooth([67, 3])],
      fn: (a, b) => matmul(a!, b!),
      shape: [5, 3],
      gradient: 'first',
      tolerance: sums(67),
    },
    'empty inner axis gives zeros': {
      inputs: (d) => [d.of([], [2, 0]), d.of([], [0, 3])],
      fn: (a, b) => matmul(a!, b!),
      shape: [2, 3],
      expected: [0, 0, 0, 0, 0, 0],
      gradient: EMPTY,
      tolerance: EXACT,
    },
    'empty batch': {
      inputs: (d) => [d.of([], [0, 2, 3]), d.smooth([3, 4])],
      fn: (a, b) => matmul(a!, b!),
      shape: [0, 2, 4],
      expected: [],
      gradient: EMPTY,
      tolerance: EXACT,
    },
    'einsum over two letters': {
      inputs: (d) => [d.smooth([2, 3, 4]), d.smooth([4, 2, 5])],
      fn: (a, b) => einsum('ijk,kil->lj', a!, b!),
      shape: [5, 3],
      gradient: 'first',
      tolerance: sums(8),
    },
    float16: {
      inputs: (d) => [d.smooth([2, 3], 'float16'), d.smooth([3, 2], 'float16')],
      fn: (a, b) => matmul(a!, b!),
      shape: [2, 2],
      dtype: 'float16',
      gradient: 'first',
      tolerance: sums(3),
    },
  }),
  ...rowsOf('attention', {
    plain: {
      inputs: (d) => [d.smooth([1, 2, 3, 4]), d.smooth([1, 2, 5, 4]), d.smooth([1, 2, 5, 2])],
      fn: (q, k, v) => attention({ q: q!, k: k!, v: v! }),
      shape: [1, 2, 3, 2],
      gradient: 'second',
      tolerance: sums(24),
    },
    'additive mask, own scale': {
      inputs: (d) => [d.smooth([2, 1, 3, 2]), d.smooth([2, 1, 4, 2]), d.smooth([2, 1, 4, 2]), d.smooth([3, 4])],
      fn: (...[q, k, v, mask]) => attention({ q: q!, k: k!, v: v!, mask, scale: 0.25 }),
      shape: [2, 1, 3, 2],
      gradient: 'second',
      tolerance: sums(16),
    },
    'causal mask of -infinity': {
      inputs: (d) => [d.smooth([1, 1, 3, 2]), d.smooth([1, 1, 3, 2]), d.smooth([1, 1, 3, 2])],
      fn: (q, k, v) => attention({ q: q!, k: k!, v: v!, mask: causal(3) }),
      shape: [1, 1, 3, 2],
      gradient: 'first',
      tolerance: sums(12),
    },
    'bool mask for each batch': {
      inputs: (d) => [
        d.smooth([2, 1, 2, 2]),
        d.smooth([2, 1, 3, 2]),
        d.smooth([2, 1, 3, 2]),
        d.of([1, 1, 0, 1, 0, 1], [2, 1, 1, 3], 'bool'),
      ],
      fn: (...[q, k, v, mask]) => attention({ q: q!, k: k!, v: v!, mask }),
      shape: [2, 1, 2, 2],
      gradient: 'first',
      tolerance: sums(12),
    },
    'mask keeps one key': {
      inputs: (d) => [d.smooth([1, 1, 2, 2]), d.smooth([1, 1, 2, 2]), d.of([1, 2, 3, 4], [1, 1, 2, 2])],
      fn: (q, k, v) => attention({ q: q!, k: k!, v: v!, mask: tensor([0, -INF]) }),
      shape: [1, 1, 2, 2],
      expected: [1, 2, 1, 2],
      gradient: 'first',
      tolerance: sums(2),
    },
  }),
];

function causal(length: number): Tensor {
  return tensor(Array.from({ length }, (_, i) => Array.from({ length }, (__, j) => (j <= i ? 0 : -INF))));
}

const GEOMETRY = {
  strides: [2],
  padding: [[1, 2]],
  dilations: [2],
  groups: 2,
  kernel: [3],
} as const satisfies PrimitiveParams['convWeightGrad'];
const IMAGE = {
  strides: [2, 1],
  padding: [
    [0, 1],
    [1, 1],
  ],
  dilations: [1, 1],
  groups: 1,
} as const satisfies ConvParams;

const convolutions: readonly ConformanceRow[] = [
  ...rowsOf('conv', {
    '1d': {
      inputs: (d) => [d.smooth([2, 3, 7]), d.smooth([4, 3, 3])],
      fn: (x, w) => conv(x!, w!, { padding: 1 }),
      shape: [2, 4, 7],
      gradient: 'second',
      tolerance: sums(14),
    },
    '1d, strided, dilated, asymmetric, grouped': {
      inputs: (d) => [d.smooth([1, 4, 9]), d.smooth([2, 2, 3])],
      fn: (x, w) => conv(x!, w!, { stride: 2, dilation: 2, padding: [[1, 2]], groups: 2 }),
      shape: [1, 2, 4],
      gradient: 'second',
      tolerance: sums(6),
    },
    '2d, 3x3, same size': {
      inputs: (d) => [d.smooth([2, 2, 4, 5]), d.smooth([3, 2, 3, 3])],
      fn: (x, w) => conv(x!, w!, { padding: 1 }),
      shape: [2, 3, 4, 5],
      gradient: 'second',
      tolerance: sums(40),
    },
    '2d, 1x1': {
      inputs: (d) => [d.smooth([2, 3, 2, 3]), d.smooth([4, 3, 1, 1])],
      fn: (x, w) => conv(x!, w!),
      shape: [2, 4, 2, 3],
      gradient: 'second',
      tolerance: sums(12),
    },
    '2d, strided': {
      inputs: (d) => [d.smooth([1, 2, 6, 5]), d.smooth([2, 2, 3, 3])],
      fn: (x, w) => conv(x!, w!, { stride: 2, padding: 1 }),
      shape: [1, 2, 3, 3],
      gradient: 'second',
      tolerance: sums(18),
    },
    '2d, strided, rows left over': {
      inputs: (d) => [d.smooth([1, 1, 6, 6]), d.smooth([1, 1, 3, 3])],
      fn: (x, w) => conv(x!, w!, { stride: 2 }),
      shape: [1, 1, 2, 2],
      gradient: 'second',
      tolerance: sums(9),
    },
    '2d, stride larger than the kernel': {
      inputs: (d) => [d.smooth([1, 2, 7, 7]), d.smooth([2, 2, 2, 2])],
      fn: (x, w) => conv(x!, w!, { stride: 3 }),
      shape: [1, 2, 2, 2],
      gradient: 'second',
      tolerance: sums(8),
    },
    '2d, patches': {
      inputs: (d) => [d.smooth([2, 3, 4, 4]), d.smooth([5, 3, 2, 2])],
      fn: (x, w) => conv(x!, w!, { stride: 2 }),
      shape: [2, 5, 2, 2],
      gradient: 'second',
      tolerance: sums(12),
    },
    '2d, dilated': {
      inputs: (d) => [d.smooth([1, 2, 6, 6]), d.smooth([2, 2, 3, 3])],
      fn: (x, w) => conv(x!, w!, { dilation: 2, padding: 2 }),
      shape: [1, 2, 6, 6],
      gradient: 'second',
      tolerance: sums(36),
    },
    '2d, asymmetric padding': {
      inputs: (d) => [d.smooth([1, 2, 4, 4]), d.smooth([2, 2, 3, 2])],
      fn: (x, w) =>
        conv(x!, w!, {
          padding: [
            [0, 1],
            [2, 1],
          ],
          stride: [2, 1],
        }),
      shape: [1, 2, 2, 6],
      gradient: 'second',
      tolerance: sums(12),
    },
    '2d, groups': {
      inputs: (d) => [d.smooth([2, 4, 3, 3]), d.smooth([6, 2, 3, 3])],
      fn: (x, w) => conv(x!, w!, { padding: 1, groups: 2 }),
      shape: [2, 6, 3, 3],
      gradient: 'second',
      tolerance: sums(27),
    },
    '2d, depthwise': {
      inputs: (d) => [d.smooth([2, 3, 4, 4]), d.smooth([3, 1, 3, 3])],
      fn: (x, w) => conv(x!, w!, { padding: 1, groups: 3 }),
      shape: [2, 3, 4, 4],
      gradient: 'second',
      tolerance: sums(32),
    },
    '2d, depthwise, two filters a channel, strided': {
      inputs: (d) => [d.smooth([1, 2, 5, 5]), d.smooth([4, 1, 3, 3])],
      fn: (x, w) => conv(x!, w!, { stride: 2, padding: 1, groups: 2 }),
      shape: [1, 4, 3, 3],
      gradient: 'first',
      tolerance: sums(18),
    },
    '2d, with bias': {
      inputs: (d) => [d.smooth([1, 2, 3, 3]), d.smooth([2, 2, 2, 2]), d.smooth([2])],
      fn: (x, w, bias) => conv(x!, w!, { bias }),
      shape: [1, 2, 2, 2],
      gradient: 'first',
      tolerance: sums(9),
    },
    '3d': {
      inputs: (d) => [d.smooth([1, 2, 3, 4, 3]), d.smooth([2, 2, 2, 3, 2])],
      fn: (x, w) => conv(x!, w!, { padding: [0, 1, 1], stride: [1, 2, 1] }),
      shape: [1, 2, 2, 2, 4],
      gradient: 'second',
      tolerance: sums(24),
    },
    '3d, causal in time': {
      inputs: (d) => [d.smooth([1, 1, 3, 3, 3]), d.smooth([2, 1, 3, 3, 3])],
      fn: (x, w) =>
        conv(x!, w!, {
          padding: [
            [2, 0],
            [1, 1],
            [1, 1],
          ],
        }),
      shape: [1, 2, 3, 3, 3],
      gradient: 'first',
      tolerance: sums(27),
    },
    'empty batch': {
      inputs: (d) => [d.of([], [0, 2, 4, 4]), d.smooth([3, 2, 3, 3])],
      fn: (x, w) => conv(x!, w!),
      shape: [0, 3, 2, 2],
      expected: [],
      gradient: EMPTY,
      tolerance: EXACT,
    },
    'kernel larger than the image, padded': {
      inputs: (d) => [d.smooth([1, 1, 2, 2]), d.smooth([1, 1, 5, 5])],
      fn: (x, w) => conv(x!, w!, { padding: 2 }),
      shape: [1, 1, 2, 2],
      gradient: 'second',
      tolerance: sums(25),
    },
  }),
  ...rowsOf('convInputGrad', {
    '1d, dilated': {
      inputs: (d) => [d.smooth([1, 2, 5]), d.smooth([2, 3, 3])],
      fn: (x, w) => convTranspose(x!, w!, { dilation: 2 }),
      shape: [1, 3, 9],
      gradient: 'second',
      tolerance: sums(9),
    },
    '2d, strided': {
      inputs: (d) => [d.smooth([2, 3, 3, 2]), d.smooth([3, 2, 4, 4])],
      fn: (x, w) => convTranspose(x!, w!, { stride: 2, padding: 1 }),
      shape: [2, 2, 6, 4],
      gradient: 'second',
      tolerance: sums(48),
    },
    '2d, output padding, asymmetric': {
      inputs: (d) => [d.smooth([1, 2, 3, 3]), d.smooth([2, 2, 3, 3])],
      fn: (x, w) =>
        convTranspose(x!, w!, {
          stride: 2,
          padding: [
            [1, 0],
            [0, 1],
          ],
          outputPadding: [1, 0],
        }),
      shape: [1, 2, 7, 6],
      gradient: 'second',
      tolerance: sums(18),
    },
    '2d, groups': {
      inputs: (d) => [d.smooth([1, 4, 3, 3]), d.smooth([4, 2, 3, 3])],
      fn: (x, w) => convTranspose(x!, w!, { groups: 2, padding: 1 }),
      shape: [1, 4, 3, 3],
      gradient: 'second',
      tolerance: sums(18),
    },
    '3d, strided': {
      inputs: (d) => [d.smooth([1, 2, 2, 2, 2]), d.smooth([2, 1, 2, 2, 2])],
      fn: (x, w) => convTranspose(x!, w!, { stride: 2 }),
      shape: [1, 1, 4, 4, 4],
      gradient: 'second',
      tolerance: sums(16),
    },
  }),
  ...rowsOf('convWeightGrad', {
    '1d, strided, dilated, asymmetric, grouped': {
      inputs: (d) => [d.smooth([2, 4, 9]), d.smooth([2, 2, 4])],
      fn: (x, g) => apply1(convWeightGradOp, [x!, g!], GEOMETRY),
      shape: [2, 2, 3],
      gradient: 'second',
      tolerance: sums(12),
    },
    '2d, strided': {
      inputs: (d) => [d.smooth([2, 2, 4, 3]), d.smooth([2, 3, 2, 3])],
      fn: (x, g) => apply1(convWeightGradOp, [x!, g!], { ...IMAGE, kernel: [3, 3] }),
      shape: [3, 2, 3, 3],
      gradient: 'second',
      tolerance: sums(27),
    },
    '3d': {
      inputs: (d) => [d.smooth([1, 2, 3, 3, 2]), d.smooth([1, 2, 2, 2, 2])],
      fn: (x, g) =>
        apply1(convWeightGradOp, [x!, g!], {
          strides: [1, 1, 1],
          padding: [
            [0, 0],
            [0, 0],
            [0, 0],
          ],
          dilations: [1, 1, 1],
          groups: 1,
          kernel: [2, 2, 1],
        }),
      shape: [2, 2, 2, 2, 1],
      gradient: 'second',
      tolerance: sums(16),
    },
  }),
];

const sampling: readonly ConformanceRow[] = [
  ...rowsOf('maxPool', {
    '2x2': {
      inputs: (d) => [d.distinct([1, 2, 4, 4])],
      fn: (x) => maxPool(x!, { kernel: 2 }),
      shape: [1, 2, 2, 2],
      gradient: 'second',
      tolerance: EXACT,
    },
    'overlapping, padded': {
      inputs: (d) => [d.distinct([1, 2, 5, 5])],
      fn: (x) => maxPool(x!, { kernel: 3, stride: 2, padding: 1 }),
      shape: [1, 2, 3, 3],
      gradient: 'second',
      tolerance: sums(4),
    },
    ties: {
      inputs: (d) => [d.of([1, 1, 1, 1], [1, 1, 2, 2])],
      fn: (x) => maxPool(x!, { kernel: 2 }),
      shape: [1, 1, 1, 1],
      expected: [1],
      gradient: { none: 'a tie is a kink' },
      tolerance: EXACT,
    },
    'padding counts as -infinity': {
      inputs: (d) => [d.of([-3, -2], [1, 1, 2])],
      fn: (x) => maxPool(x!, { kernel: 2, stride: 2, padding: 1 }),
      shape: [1, 1, 2],
      expected: [-3, -2],
      gradient: 'first',
      tolerance: EXACT,
    },
    '3d': {
      inputs: (d) => [d.distinct([1, 1, 4, 2, 4])],
      fn: (x) => maxPool(x!, { kernel: [2, 2, 2] }),
      shape: [1, 1, 2, 1, 2],
      gradient: 'first',
      tolerance: EXACT,
    },
  }),
  ...rowsOf('avgPool', {
    '2x2': {
      inputs: (d) => [d.smooth([2, 2, 4, 4])],
      fn: (x) => avgPool(x!, { kernel: 2 }),
      shape: [2, 2, 2, 2],
      gradient: 'second',
      tolerance: sums(4),
    },
    'overlapping, padded': {
      inputs: (d) => [d.smooth([1, 2, 5, 5])],
      fn: (x) => avgPool(x!, { kernel: 3, stride: 2, padding: 1 }),
      shape: [1, 2, 3, 3],
      gradient: 'second',
      tolerance: sums(9),
    },
    'padding counts in the divisor': {
      inputs: (d) => [d.of([4, 8], [1, 1, 2])],
      fn: (x) => avgPool(x!, { kernel: 2, stride: 2, padding: 1 }),
      shape: [1, 1, 2],
      expected: [2, 4],
      gradient: 'first',
      tolerance: EXACT,
    },
    '1d, size does not divide': {
      inputs: (d) => [d.smooth([1, 2, 7])],
      fn: (x) => avgPool(x!, { kernel: 2 }),
      shape: [1, 2, 3],
      gradient: 'first',
      tolerance: sums(2),
    },
  }),
  ...rowsOf('broadcastTo', {
    'nearest resize by 2': {
      inputs: (d) => [d.of([1, 2, 3, 4], [1, 1, 2, 2])],
      fn: (x) => resize(x!, { size: [4, 2] }),
      shape: [1, 1, 4, 2],
      expected: [1, 2, 1, 2, 3, 4, 3, 4],
      gradient: 'second',
      tolerance: sums(2),
    },
  }),
  ...rowsOf('gather', {
    'nearest resize by 3/2': {
      inputs: (d) => [d.of([1, 2, 3, 4], [1, 1, 4])],
      fn: (x) => resize(x!, { size: [6] }),
      shape: [1, 1, 6],
      expected: [1, 1, 2, 3, 3, 4],
      gradient: 'first',
      tolerance: sums(2),
    },
  }),
  ...rowsOf('matmul', {
    'bilinear resize': {
      inputs: (d) => [d.smooth([1, 2, 3, 4])],
      fn: (x) => resize(x!, { size: [5, 8], mode: 'bilinear' }),
      shape: [1, 2, 5, 8],
      gradient: 'second',
      tolerance: sums(12),
    },
    'bilinear resize, corners aligned': {
      inputs: (d) => [d.of([0, 2, 4, 6], [1, 1, 4])],
      fn: (x) => resize(x!, { size: [7], mode: 'bilinear', align: 'corners' }),
      shape: [1, 1, 7],
      expected: [0, 1, 2, 3, 4, 5, 6],
      gradient: 'first',
      tolerance: sums(4),
    },
  }),
];

export const linearRows: readonly ConformanceRow[] = [...products, ...convolutions, ...sampling];
