import type { DType, ReduceParams } from '@langevin/tensor';
import { sizeOf } from '@langevin/tensor';
import { ARITHMETIC, castTo } from './kernels.ts';
import { interleavedAxes, sumInterleaved } from './repeat.ts';
import type { LoweringTable, Scope } from './scope.ts';

function reduce(scope: Scope, op: string, { axes, keepDims }: ReduceParams, dtypes: readonly DType[]): string {
  const x = scope.inputs[0]!;
  // To ONNX an empty list of axes means all of them.
  if (axes.length === 0) return x.name;
  const attributes = { keepdims: keepDims ? 1 : 0 };
  const operand = dtypes.includes(x.dtype) ? x.name : castTo(scope, x, 'int32');
  const out = scope.emit(op, [operand, scope.ints(axes)], { attributes });
  if (x.dtype === 'bfloat16') return castTo(scope, scope.emit('Cast', [out], { attributes: { to: 16 } }), 'float32');
  return dtypes.includes(x.dtype) ? out : castTo(scope, out, x.dtype);
}

/** Longer sums would need a long vector of ones, and more bits. */
const MOST_ROWS = 16384;

/** Sum the first `axes` axes as a product with ones, several times as fast as ReduceSum. */
export function sumLeading(scope: Scope, x: string, shape: readonly number[], axes: number): string {
  const rows = sizeOf(shape.slice(0, axes));
  const matrix = scope.emit('Reshape', [x, scope.ints([rows, sizeOf(shape.slice(axes))])]);
  return scope.emit('MatMul', [scope.fill('float32', 1, [1, rows]), matrix]);
}

/** Below this many elements no kernel is slow. */
const FEWEST_SUMMED = 4096;
const LARGEST_WINDOW = 64;

export const alongAxes: LoweringTable<'sum' | 'max' | 'argMax' | 'cumsum' | 'topKIndices'> = {
  sum: (scope, params) => {
    const x = scope.inputs[0]!;
    const repeat =
      x.dtype === 'float32' && sizeOf(x.shape) >= FEWEST_SUMMED
        ? interleavedAxes(x.shape, (axis) => params.axes.includes(axis))
        : undefined;
    // A window, not a long row: those are summed well by ReduceSum.
    if (repeat && repeat.repeatOuter > 1 && repeat.repeatInner > 1 && repeat.repeatOuter * repeat.repeatInner <= LARGEST_WINDOW) {
      return sumInterleaved(scope, x.name, repeat, scope.outputs[0]!.shape);
    }
    const leading = params.axes.length;
    const rows = sizeOf(x.shape.slice(0, leading));
    const isLeading = leading > 0 && leading < x.shape.length && params.axes.every((axis) => axis < leading);
    if (
      scope.contrib === 'allow'
      && x.dtype === 'float32'
      && isLeading
      && rows > 1
      && rows <= MOST_ROWS
      && sizeOf(x.shape) >= FEWEST_SUMMED
    ) {
      return scope.emit('Reshape', [sumLeading(scope, x.name, x.shape, leading), scope.ints(scope.outputs[0]!.shape)]);
    }
    return reduce(scope, 'ReduceSum', params, ARITHMETIC);
  },
  max: (scope, params) => reduce(scope, 'ReduceMax', params, ARITHMETIC),
  argMax: (scope, { axis }) => {
    const x = scope.inputs[0]!;
    const attributes = { axis, keepdims: 0, select_last_index: 0 };
    const operand = x.dtype === 'int64' || x.dtype === 'bool' ? castTo(scope, x, x.dtype === 'bool' ? 'uint8' : 'float32') : x.name;
    return castTo(scope, scope.emit('ArgMax', [operand], { attributes }), 'int32');
  },
  cumsum: (scope, { axis, direction }) => {
    const x = scope.inputs[0]!;
    const attributes = { exclusive: 0, reverse: direction === 'reverse' ? 1 : 0 };
    if (ARITHMETIC.includes(x.dtype)) return scope.emit('CumSum', [x, scope.fill('int64', axis)], { attributes });
    return castTo(scope, scope.emit('CumSum', [castTo(scope, x, 'int32'), scope.fill('int64', axis)], { attributes }), x.dtype);
  },
  topKIndices: (scope, { axis, k, order }) => {
    const x = scope.inputs[0]!;
    const attributes = { axis, largest: order === 'largest' ? 1 : 0, sorted: 1 };
    const operand = ARITHMETIC.includes(x.dtype) ? x.name : castTo(scope, x, 'int32');
    const [, indices] = scope.emitMany('TopK', [operand, scope.ints([k])], [true, true], { attributes });
    return castTo(scope, indices!, 'int32');
  },
};
