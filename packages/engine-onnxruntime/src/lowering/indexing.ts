import { sizeOf } from '@langevin/tensor';
import { ONNX_UINT32, onnxTypes } from '../onnx/model.ts';
import { ARITHMETIC, castTo } from './kernels.ts';
import type { LoweringTable, Operand, Scope } from './scope.ts';

/** Adding at indices has kernels for wide numbers only; the runtime does not widen float16 here by itself. */
function inArithmetic(scope: Scope, updates: Operand, add: (updates: Operand) => string): string {
  if (ARITHMETIC.includes(updates.dtype) && updates.dtype !== 'float16') return add(updates);
  const wide = updates.dtype === 'float16' ? 'float32' : 'int32';
  return castTo(scope, add({ ...updates, name: castTo(scope, updates, wide), dtype: wide }), updates.dtype);
}

/**
 * int32 indices as they are, and one below zero far beyond every end, by way of the unsigned numbers of the same bits: the runtime's
 * kernels refuse what is beyond the end, and would count what is below zero from there.
 */
function places(scope: Scope, indices: Operand): string {
  if (scope.provider === 'webgpu') return indices.name;
  const unsigned = scope.emit('Cast', [indices], { attributes: { to: ONNX_UINT32 } });
  return scope.emit('Cast', [unsigned], { attributes: { to: onnxTypes.int64 } });
}

function zeros(scope: Scope, like: Operand, shape: readonly number[]): string {
  return scope.emit('Expand', [scope.fill(like.dtype, 0), scope.ints(shape)]);
}

export const indexing: LoweringTable<'gather' | 'scatterAdd' | 'gatherElements' | 'scatterElementsAdd'> = {
  gather: (scope, { axis }) => {
    const [x, indices] = scope.inputs as [Operand, Operand];
    return scope.emit('Gather', [x, places(scope, indices)], { attributes: { axis } });
  },
  gatherElements: (scope, { axis }) => {
    const [x, indices] = scope.inputs as [Operand, Operand];
    return scope.emit('GatherElements', [x, places(scope, indices)], { attributes: { axis } });
  },
  scatterElementsAdd: (scope, { axis, size }) => {
    const [updates, indices] = scope.inputs;
    return inArithmetic(scope, updates!, (u) => {
      const shape = u.shape.map((n, i) => (i === axis ? size : n));
      return scope.emit('ScatterElements', [zeros(scope, u, shape), places(scope, indices!), u], {
        attributes: { axis, reduction: 'add' },
      });
    });
  },
  scatterAdd: (scope, { axis, size }) => {
    const [updates, indices] = scope.inputs;
    return inArithmetic(scope, updates!, (u) => {
      // Flatten to updates [before, count, after]; every element of `indices` counts for a whole [after] row.
      const rank = indices!.shape.length;
      const before = sizeOf(u.shape.slice(0, axis));
      const after = sizeOf(u.shape.slice(axis + rank));
      const count = sizeOf(indices!.shape);
      const flat = scope.emit('Reshape', [u, scope.ints([before, count, after])]);
      const column = scope.emit('Reshape', [places(scope, indices!), scope.ints([1, count, 1])]);
      const rows = scope.emit('Expand', [column, scope.ints([before, count, after])]);
      const sums = scope.emit('ScatterElements', [zeros(scope, u, [before, size, after]), rows, flat], {
        attributes: { axis: 1, reduction: 'add' },
      });
      return scope.emit('Reshape', [sums, scope.ints(scope.outputs[0]!.shape)], { attributes: { allowzero: 1 } });
    });
  },
};
