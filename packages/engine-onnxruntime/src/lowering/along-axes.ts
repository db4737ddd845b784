import type { ReduceParams } from '@langevin/tensor';
import { sizeOf } from '@langevin/tensor';
import { ONNX_FLOAT64 } from '../onnx/model.ts';
import { ARITHMETIC, castTo, roundToBfloat16 } from './kernels.ts';
import { isFloat, isNaNFlags, nanMarks, nanWhereMarked } from './nan.ts';
import { interleavedAxes, sumInterleaved } from './repeat.ts';
import type { LoweringTable, Operand, Scope } from './scope.ts';
import { runningSumInBlocks } from './running-sum.ts';
import { isLongSum, sumInBlocks } from './sum.ts';

function reduce(scope: Scope, op: string, { axes, keepDims }: ReduceParams): string {
  const x = scope.inputs[0]!;
  // To ONNX an empty list of axes means all of them.
  if (axes.length === 0) return x.name;
  const attributes = { keepdims: keepDims ? 1 : 0 };
  const operand = ARITHMETIC.includes(x.dtype) ? x.name : castTo(scope, x, 'int32');
  const out = scope.emit(op, [operand, scope.ints(axes)], { attributes });
  if (x.dtype === 'bfloat16') return castTo(scope, scope.emit('Cast', [out], { attributes: { to: 16 } }), 'float32');
  return ARITHMETIC.includes(x.dtype) ? out : castTo(scope, out, x.dtype);
}

/** Below this many elements no kernel is slow. */
const FEWEST_SUMMED = 4096;

/** Sums of leading axes are faster as a product with ones, however short. */
function isLeadingSum(scope: Scope, x: Operand, axes: readonly number[]): boolean {
  const count = axes.length;
  const isLeading = count > 0 && count < x.shape.length && axes.every((axis) => axis < count);
  return scope.contrib === 'allow' && x.dtype === 'float32' && isLeading && sizeOf(x.shape) >= FEWEST_SUMMED;
}

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
      return sumInterleaved(scope, x.name, { axes: repeat, shape: scope.outputs[0]!.shape });
    }
    if (isFloat(x) && (isLongSum(scope, x.shape, params.axes) || isLeadingSum(scope, x, params.axes))) {
      // Partial sums of halves would overflow, and round more often than one sum does.
      const wide = x.dtype === 'float16' ? castTo(scope, x, 'float32') : x.name;
      const total = sumInBlocks(scope, wide, { shape: x.shape, axes: params.axes, out: scope.outputs[0]!.shape });
      if (x.dtype === 'bfloat16') return roundToBfloat16(scope, total);
      return x.dtype === 'float16' ? castTo(scope, total, 'float16') : total;
    }
    return reduce(scope, 'ReduceSum', params);
  },
  max: (scope, params) => {
    const x = scope.inputs[0]!;
    if (!isFloat(x) || params.axes.length === 0) return reduce(scope, 'ReduceMax', params);
    const attributes = { keepdims: params.keepDims ? 1 : 0 };
    return nanWhereMarked(scope, x, (value) => scope.emit('ReduceMax', [value, scope.ints(params.axes)], { attributes }));
  },
  argMax: (scope, { axis }) => {
    const x = scope.inputs[0]!;
    const attributes = { axis, keepdims: 0, select_last_index: 0 };
    const first = (value: Operand | string): string => scope.emit('ArgMax', [value], { attributes });
    if (isFloat(x)) {
      const marks = nanMarks(scope, x);
      const marked = castTo(scope, scope.emit('ReduceMax', [marks, scope.ints([axis])], { attributes: { keepdims: 0 } }), 'bool');
      return castTo(scope, scope.emit('Where', [marked, first(marks), first(x)]), 'int32');
    }
    const operand = x.dtype === 'int64' || x.dtype === 'bool' ? castTo(scope, x, x.dtype === 'bool' ? 'uint8' : 'float32') : x.name;
    return castTo(scope, first(operand), 'int32');
  },
  cumsum: (scope, { axis, direction }) => {
    const x = scope.inputs[0]!;
    const attributes = { exclusive: 0, reverse: direction === 'reverse' ? 1 : 0 };
    const running = (value: Operand | string): string => scope.emit('CumSum', [value, scope.fill('int64', axis)], { attributes });
    if (x.dtype === 'float32' && scope.provider === 'webgpu') return runningSumInBlocks(scope, x, { axis, direction });
    if (isFloat(x) && scope.provider !== 'webgpu') {
      // One addition after another: in float64, as PyTorch does, since the runtime's kernel has nothing like blocks.
      const sums = running(scope.emit('Cast', [x], { attributes: { to: ONNX_FLOAT64 } }));
      return x.dtype === 'bfloat16' ? roundToBfloat16(scope, sums) : castTo(scope, sums, x.dtype);
    }
    return ARITHMETIC.includes(x.dtype) ? running(x) : castTo(scope, running(castTo(scope, x, 'int32')), x.dtype);
  },
  topKIndices: (scope, { axis, k, order }) => {
    const x = scope.inputs[0]!;
    const attributes = { axis, largest: order === 'largest' ? 1 : 0, sorted: 1 };
    const first = (keys: string, count: number): string =>
      scope.emitMany('TopK', [keys, scope.ints([count])], { attributes, results: 2 })[1]!;
    if (!isFloat(x)) return castTo(scope, first(ARITHMETIC.includes(x.dtype) ? x.name : castTo(scope, x, 'int32'), k), 'int32');
    if (scope.provider !== 'webgpu') return castTo(scope, first(keysAboveInfinity(scope, x), k), 'int32');
    // WebGPU has no float64, and its kernel takes infinities for its own padding: by value among finite ones, then by kind.
    const { value, kind } = valueAndKind(scope, x);
    const all = first(value, x.shape[axis]!);
    const kinds = scope.emit('GatherElements', [kind, all], { attributes: { axis } });
    return scope.emit('GatherElements', [castTo(scope, all, 'int32'), first(kinds, k)], { attributes: { axis } });
  },
};

/**
 * The runtime leaves NaN wherever it is when it sorts. In float64 there is room between the largest float32 and infinity: infinity goes
 * there, and NaN takes its place.
 */
function keysAboveInfinity(scope: Scope, x: Operand): string {
  const wide = (value: Operand | string): string => scope.emit('Cast', [value], { attributes: { to: ONNX_FLOAT64 } });
  const beyond = scope.emit('Mul', [wide(scope.fill('float32', LARGEST_FLOAT)), wide(scope.fill('float32', 2))]);
  const finite = scope.emit('Min', [wide(x), beyond]);
  return scope.emit('Where', [scope.emit('IsNaN', [x]), wide(scope.fill('float32', Infinity)), finite]);
}

/** Finite values, 0 for others, and their kinds: -1 for -infinity, 0 for finite ones, 1 for infinity, 2 for NaN. */
function valueAndKind(scope: Scope, x: Operand): { readonly value: string; readonly kind: string } {
  const number = (value: number): string => scope.fill(x.dtype, value);
  const isFinite = scope.emit('Less', [scope.emit('Abs', [x]), number(Infinity)]);
  const isInfinite = (sign: 1 | -1): string => castTo(scope, scope.emit('Equal', [x, number(sign * Infinity)]), x.dtype);
  const side = scope.emit('Sub', [isInfinite(1), isInfinite(-1)]);
  return {
    value: scope.emit('Where', [isFinite, x, number(0)]),
    kind: scope.emit('Where', [isNaNFlags(scope, x), number(2), side]),
  };
}

const LARGEST_FLOAT = (2 - 2 ** -23) * 2 ** 127;
