import { UserError } from '../errors.ts';
import { apply1, type OpDefinition } from '../graph/node.ts';
import type { Tensor } from '../tensor.ts';
import { shapeOf } from './operands.ts';
import { reshape } from './shaping.ts';

export const barrierOp: OpDefinition<'barrier'> = {
  op: 'barrier',
  infer: ([x]) => [x!],
  vjp: ({ cotangents: [g] }) => [() => g!, undefined],
};

/** `x`, available only after `token` has been computed; it is never merged with an equal `x`. */
export function barrier(x: Tensor, token: Tensor): Tensor {
  if (shapeOf('tensor/barrier', token).includes(0))
    throw new UserError(`[tensor/barrier] token has no elements: shape=[${token.shape.join(', ')}]. Give a tensor with at least one.`);
  return apply1(barrierOp, [x, token], {});
}

/** The value of `x`, through which no gradient flows. */
export function stopGradient(x: Tensor): Tensor {
  return apply1(stopGradientOp, [x], { shape: shapeOf('tensor/stopGradient', x) });
}

/** A reshape to the same shape, which graphs drop, with a gradient of zero. */
const stopGradientOp: OpDefinition<'reshape'> = {
  op: 'reshape',
  infer: ([x]) => [x!],
  vjp: () => [undefined],
};

/** The value of `x`, with a gradient that passes through `surrogate` instead: the straight-through estimator. */
export function straightThrough(x: Tensor, surrogate: Tensor): Tensor {
  return apply1(straightThroughOp, [reshape(x, shapeOf('tensor/straightThrough', surrogate)), surrogate], {});
}

const straightThroughOp: OpDefinition<'barrier'> = {
  op: 'barrier',
  infer([x, surrogate]) {
    if (x!.dtype !== surrogate!.dtype)
      throw new UserError(`[tensor/straightThrough] dtypes differ: x=${x!.dtype}, surrogate=${surrogate!.dtype}. cast() one of them.`);
    return [x!];
  },
  vjp: ({ cotangents: [g] }) => [undefined, () => g!],
};
