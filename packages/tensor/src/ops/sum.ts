import { isFloating } from '../dtype.ts';
import { UserError } from '../errors.ts';
import { apply1, type OpDefinition } from '../graph/node.ts';
import type { ReduceParams } from '../graph/primitives.ts';
import { checkChoice, readOptions } from '../read-options.ts';
import { sameShape, type Shape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { axesOf } from './operands.ts';
import { broadcastTo, reshape } from './shaping.ts';

export interface ReduceOptions {
  /** Which axes; negative ones count from the end. @default all */
  readonly axes?: number | readonly number[];
  /** Whether reduced axes stay, with size 1. @default 'drop' */
  readonly dims?: 'keep' | 'drop';
}

export const REDUCE_OPTIONS = ['axes', 'dims'];

/** The shape that is left when axes are reduced. */
export function reducedShape(shape: Shape, { axes, keepDims }: ReduceParams): Shape {
  return keepDims ? shape.map((n, i) => (axes.includes(i) ? 1 : n)) : shape.filter((_, i) => !axes.includes(i));
}

/** A reduced tensor with its axes back, as size 1. */
export function withAxes(y: Tensor, x: Tensor, axes: readonly number[]): Tensor {
  return reshape(
    y,
    x.shape.map((n, i) => (axes.includes(i) ? 1 : n)),
  );
}

/** The axes of a reduction, checked. */
export function reduceParams(where: string, x: Tensor, options: ReduceOptions): ReduceParams {
  const { axes, dims = 'drop' } = readOptions(where, options, REDUCE_OPTIONS);
  checkChoice(where, { dims }, ['keep', 'drop']);
  return { axes: axesOf(where, x, axes), keepDims: dims === 'keep' };
}

export const sumOp: OpDefinition<'sum'> = {
  op: 'sum',
  infer([x], params) {
    if (x!.dtype === 'bool') throw new UserError(`[tensor/sum] dtype has no arithmetic: dtype=bool. cast(x, 'int32') to count.`);
    return [{ shape: reducedShape(x!.shape, params), dtype: x!.dtype }];
  },
  vjp: ({ inputs: [x], params, cotangents: [g] }) => [
    isFloating(x!.dtype) ? () => broadcastTo(withAxes(g!, x!, params.axes), x!.shape) : undefined,
  ],
};

/**
 * Sum along axes. Engines add in blocks, so that the error does not grow with the count (1e-6 for any number of equal terms).
 */
export function sum(x: Tensor, options: ReduceOptions = {}): Tensor {
  const params = reduceParams('tensor/sum', x, options);
  return params.axes.length === 0 ? x : apply1(sumOp, [x], params);
}

/** Sum a broadcast result back to the shape it came from: the adjoint of broadcasting. */
export function sumTo(x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x;
  const lead = x.rank - shape.length;
  const axes = x.shape.flatMap((n, i) => (i < lead || (shape[i - lead] === 1 && n !== 1) ? [i] : []));
  return reshape(sum(x, { axes }), shape);
}
