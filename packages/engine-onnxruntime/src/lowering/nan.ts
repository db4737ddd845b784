import type { DType } from '@langevin/tensor';
import { castTo, FLOATS } from './kernels.ts';
import type { Operand, Scope } from './scope.ts';

/** Whether an operand may hold NaN. */
export const isFloat = ({ dtype }: { readonly dtype: DType }): boolean => FLOATS.includes(dtype);

/** Whether each element is NaN, bool. WebGPU has no kernel of its own for that. */
export function isNaNFlags(scope: Scope, x: Operand | string): string {
  return scope.provider === 'webgpu' ? scope.emit('Not', [scope.emit('Equal', [x, x])]) : scope.emit('IsNaN', [x]);
}

/** 1 where an element is NaN, else 0, in the smallest dtype that the provider reduces. */
export function nanMarks(scope: Scope, x: Operand): string {
  return castTo(scope, isNaNFlags(scope, x), scope.provider === 'webgpu' ? 'float32' : 'uint8');
}

/**
 * The runtime's ReduceMax compares, and passes over NaN as it happens to come. `reduce` finds the largest of anything: of the elements,
 * and of the marks of NaN among them.
 */
export function nanWhereMarked(scope: Scope, x: Operand, reduce: (value: Operand | string) => string): string {
  const found = reduce(x);
  if (!isFloat(x)) return found;
  const marked = castTo(scope, reduce(nanMarks(scope, x)), 'bool');
  return scope.emit('Where', [marked, scope.fill(x.dtype, NaN), found]);
}
