import { hostFromNumbers, isFloating, type DType } from '../dtype.ts';
import { UserError } from '../errors.ts';
import type { ValueInfo } from '../graph/graph.ts';
import { broadcastShapes, normalizeAxes, normalizeAxis, type Shape } from '../shape.ts';
import { Tensor, type Operand } from '../tensor.ts';

/** Both operands of one dtype, and the shape they broadcast to. */
export function inferBinary(op: string, a: ValueInfo, b: ValueInfo): Shape {
  if (a.dtype !== b.dtype) {
    throw new UserError(`[tensor/${op}] dtypes differ: a=${a.dtype}, b=${b.dtype}. cast() one of them.`);
  }
  return broadcastShapes(`tensor/${op}`, a.shape, b.shape);
}

/**
 * The shape of an operand. Whatever an op reads of what it was given before a node is made of it goes through here, where it is known to
 * be a tensor.
 */
export function shapeOf(where: string, x: Tensor): Shape {
  return tensorOf(where, x).shape;
}

/** An operand where a number does not stand for one. */
export function tensorOf(where: string, x: Tensor): Tensor {
  Tensor.requireOwn(x, where);
  return x;
}

/** An axis of an operand, counted from the front. */
export function axisOf(where: string, x: Tensor, axis: number): number {
  return normalizeAxis(where, axis, shapeOf(where, x).length);
}

/** Axes of an operand, sorted, without repeats; all where none are named. */
export function axesOf(where: string, x: Tensor, axes: number | readonly number[] | undefined): number[] {
  return normalizeAxes(where, axes, shapeOf(where, x).length);
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
