import { hostFromNumbers, isFloating, type DType } from '../dtype.ts';
import { UserError } from '../errors.ts';
import type { ValueInfo } from '../graph/graph.ts';
import { broadcastShapes, type Shape } from '../shape.ts';
import { Tensor, type Operand } from '../tensor.ts';

/** Both operands of one dtype, and the shape they broadcast to. */
export function inferBinary(op: string, a: ValueInfo, b: ValueInfo): Shape {
  if (a.dtype !== b.dtype) {
    throw new UserError(`[tensor/${op}] dtypes differ: a=${a.dtype}, b=${b.dtype}. cast() one of them.`);
  }
  return broadcastShapes(`tensor/${op}`, a.shape, b.shape);
}

/** The tensor itself, or a number as a literal of the given dtype. */
export function literal(value: Operand, dtype: DType): Tensor {
  if (typeof value !== 'number') return value;
  if (!isFloating(dtype)) hostFromNumbers(dtype, [value]);
  return new Tensor([], dtype, { kind: 'literal', value });
}

/** Two operands as tensors: a number adopts the dtype of the other. */
export function operands(a: Operand, b: Operand): readonly [Tensor, Tensor] {
  const dtype = a instanceof Tensor ? a.dtype : b instanceof Tensor ? b.dtype : 'float32';
  return [literal(a, dtype), literal(b, dtype)];
}

/** The number that a tensor stands for, if it was written as one. */
export function literalValue(x: Tensor): number | undefined {
  const source = Tensor.source(x);
  return source.kind === 'literal' ? source.value : undefined;
}
