import { sizeOf } from '@langevin/tensor';
import { ARITHMETIC, castTo } from './kernels.ts';
import type { LoweringTable, Operand, Scope } from './scope.ts';

/** Adding at indices has kernels for wide numbers only; the runtime does not widen float16 here by itself. */
function inArithmetic(scope: Scope, updates: Operand, add: (updates: Operand) => string): string {
  if (ARITHMETIC.includes(updates.dtype) && updates.dtype !== 'float16') return add(updates);
  const wide = updates.dtype === 'float16' ? 'float32' : 'int32';
  return castTo(scope, add({ ...updates, name: castTo(scope, updates, wide), dtype: wide }), updates.dtype);
}

function zeros(scope: Scope, like: Operand, shape: readonly number[]): string {
  return scope.emit('Expand', [scope.fill(like.dtype, 0), scope.ints(shape)]);
}

export const indexing: LoweringTable<'gather' | 'scatterAdd' | 'gatherElements' | 'scatterElementsAdd'> = {
  gather: (scope, { axis }) => scope.emit('Gather', scope.inputs, { attributes: { axis } }),
  gatherElements: (scope, { axis }) => scope.emit('GatherElements', scope.inputs, { attributes: { axis } }),
  scatterElementsAdd: (scope, { axis, size }) => {
    const [updates, indices] = scope.inputs;
    return inArithmetic(scope, updates!, (u) => {
      const shape = u.shape.map((n, i) => (i === axis ? size : n));
      return scope.emit('ScatterElements', [zeros(scope, u, shape), indices!, u], { attributes: { axis, reduction: 'add' } });
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
      const column = scope.emit('Reshape', [indices!, scope.ints([1, count, 1])]);
      const rows = scope.emit('Expand', [column, scope.ints([before, count, after])]);
      const sums = scope.emit('ScatterElements', [zeros(scope, u, [before, size, after]), rows, flat], {
        attributes: { axis: 1, reduction: 'add' },
      });
      return scope.emit('Reshape', [sums, scope.ints(scope.outputs[0]!.shape)], { attributes: { allowzero: 1 } });
    });
  },
};
