import { castTo } from './kernels.ts';
import { interleavedAxes, repeatInterleaved } from './repeat.ts';
import type { LoweringTable } from './scope.ts';

/** Below this many elements no kernel is slow. */
const FEWEST_REPEATED = 1024;

export const shapeOps: LoweringTable<'reshape' | 'transpose' | 'broadcastTo' | 'slice' | 'pad' | 'concat' | 'flip' | 'barrier'> = {
  reshape: (scope, { shape }) => scope.emit('Reshape', [scope.inputs[0]!, scope.ints(shape)], { attributes: { allowzero: 1 } }),
  transpose: (scope, { permutation }) => scope.emit('Transpose', scope.inputs, { attributes: { perm: permutation } }),
  broadcastTo: (scope, { shape }) => {
    const x = scope.inputs[0]!;
    const source = [...shape.slice(0, shape.length - x.shape.length).map(() => 1), ...x.shape];
    const repeat = x.dtype === 'float32' ? interleavedAxes(shape, (axis) => source[axis] !== shape[axis]) : undefined;
    if (repeat && repeat.outer * repeat.inner >= FEWEST_REPEATED) return repeatInterleaved(scope, x.name, { axes: repeat, shape });
    // WebGPU has no bytes to expand.
    if (scope.provider === 'webgpu' && x.dtype === 'uint8') {
      return castTo(scope, scope.emit('Expand', [castTo(scope, x, 'int32'), scope.ints(shape)]), 'uint8');
    }
    return scope.emit('Expand', [x, scope.ints(shape)]);
  },
  slice: (scope, { starts, sizes, steps }) => {
    const x = scope.inputs[0]!;
    const axes = x.shape.flatMap((n, i) => (starts[i] === 0 && sizes[i] === n && steps[i] === 1 ? [] : [i]));
    if (axes.length === 0) return x.name;
    const ends = axes.map((i) => (sizes[i] === 0 ? starts[i]! : starts[i]! + (sizes[i]! - 1) * steps[i]! + 1));
    const vector = (values: readonly number[]): string => scope.ints(values);
    return scope.emit('Slice', [x, vector(axes.map((i) => starts[i]!)), vector(ends), vector(axes), vector(axes.map((i) => steps[i]!))]);
  },
  pad: (scope, { padding, value }) => {
    const x = scope.inputs[0]!;
    if (x.shape.length === 0) return x.name;
    const pads = scope.ints([...padding.map(([before]) => before), ...padding.map(([, after]) => after)]);
    return scope.emit('Pad', [x, pads, scope.fill(x.dtype, value)], { attributes: { mode: 'constant' } });
  },
  concat: (scope, { axis }) =>
    scope.inputs.length === 1 ? scope.inputs[0]!.name : scope.emit('Concat', scope.inputs, { attributes: { axis } }),
  flip: (scope, { axes }) => {
    if (axes.length === 0) return scope.inputs[0]!.name;
    const all = (value: number): string => scope.ints(axes.map(() => value));
    return scope.emit('Slice', [scope.inputs[0]!, all(-1), all(-(2 ** 31)), scope.ints(axes), all(-1)]);
  },
  barrier: (scope) => {
    const [x, token] = scope.inputs;
    if (token!.shape.includes(0)) return x!.name;
    // Wait for the token without a pass over x: the shape that x is given again is (that shape) + (0 computed from the token). By
    // way of bool, so that a NaN in the token is harmless.
    const flat = scope.emit('Reshape', [token!, scope.ints([-1])]);
    const first = scope.emit('Slice', [flat, scope.ints([0]), scope.ints([1])]);
    const bit = scope.emit('Cast', [scope.emit('Cast', [first], { attributes: { to: 9 } })], { attributes: { to: 7 } });
    const zero = scope.emit('Mul', [bit, scope.ints([0])]);
    const shape =
      x!.shape.length === 0
        ? scope.emit('Slice', [zero, scope.ints([0]), scope.ints([0])])
        : scope.emit('Add', [scope.ints(x!.shape), zero]);
    const out = scope.emit('Reshape', [x!, shape], { attributes: { allowzero: 1 } });
    scope.declareShape(out, x!);
    return out;
  },
};
