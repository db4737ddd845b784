import { isFloating } from '../dtype.ts';
import { UserError } from '../errors.ts';
import { alias } from '../ops/shaping.ts';
import { zerosLike } from '../ops/create.ts';
import { tensorOf } from '../ops/operands.ts';
import type { Tensor } from '../tensor.ts';
import { flattenTree, mapTensors, tensorsOf } from '../tree.ts';
import { gradients } from './gradients.ts';

/** A scalar loss, alone or with other results beside it. */
export type Loss = Tensor | { readonly loss: Tensor };

function lossOf(value: Loss): Tensor {
  const isRecord = typeof value === 'object' && value !== null && 'loss' in value;
  return tensorOf('tensor/valueAndGrad', isRecord ? value.loss : value);
}

/** Copies of handles, so that a tensor that occurs twice is differentiated at each place. */
function separate<T>(tree: T): T {
  return mapTensors(tree, (x) => (isFloating(x.dtype) ? alias(x) : x));
}

/** Gradients of floats; integer leaves get zeros of their own dtype. */
function gradientTree<T>(tree: T, ys: readonly Tensor[], cotangents?: readonly Tensor[]): T {
  const floats = tensorsOf(tree).filter((x) => isFloating(x.dtype));
  const found = gradients(ys, floats, cotangents ? { cotangents } : {});
  let next = 0;
  return mapTensors(tree, (x) => (isFloating(x.dtype) ? found[next++]! : zerosLike(x)));
}

/**
 * The function with its value and the gradient of its loss by the first argument, a tree of tensors; further arguments are constants.
 *
 * @param fn returns a scalar, or an object with a scalar `loss` and whatever else is wanted from the forward pass
 * @example
 * const step = valueAndGrad((params: { w: Tensor }, x: Tensor) => mean(square(mul(params.w, x))));
 * const { value, grad } = step({ w: scalar(3) }, tensor([1, 1]));
 * [await item(value), await item(grad.w)]; // => [9, 6]
 */
export function valueAndGrad<P, Rest extends readonly unknown[], R extends Loss>(
  fn: (params: P, ...rest: Rest) => R,
): (params: P, ...rest: Rest) => { readonly value: R; readonly grad: P } {
  return (params, ...rest) => {
    const inputs = separate(params);
    const value = fn(inputs, ...rest);
    return { value, grad: gradientTree(inputs, [lossOf(value)]) };
  };
}

/** The gradient of a scalar function by its first argument; see {@link valueAndGrad}. */
export function grad<P, Rest extends readonly unknown[]>(fn: (params: P, ...rest: Rest) => Loss): (params: P, ...rest: Rest) => P {
  const both = valueAndGrad(fn);
  return (params, ...rest) => both(params, ...rest).grad;
}

/**
 * The value of a function at `primals` and its vector-Jacobian product: `pullback` maps cotangents of the result to cotangents of
 * the primals.
 */
export function vjp<Args extends readonly unknown[], R>(
  fn: (...args: Args) => R,
  ...primals: Args
): { readonly value: R; readonly pullback: (cotangent: R) => Args } {
  const inputs = separate(primals);
  const value = fn(...inputs);
  return { value, pullback: (cotangent) => gradientTree(inputs, tensorsOf(value), tensorsOf(cotangent)) };
}

/**
 * The value of a function at `primals` and its derivative in the direction of `tangents` (Jacobian-vector product).
 *
 * It transposes the pullback, which is linear: no op needs a forward rule of its own, and what the pullback computed of the value's
 * cotangent alone drops out of the graph.
 */
export function jvp<Args extends readonly unknown[], R>(
  fn: (...args: Args) => R,
  primals: Args,
  tangents: Args,
): { readonly value: R; readonly tangent: R } {
  const primalNames = flattenTree(primals).names;
  if (primalNames.join() !== flattenTree(tangents).names.join()) {
    throw new UserError(
      `[tensor/jvp] tangents do not have the structure of the primals: primals have ${primalNames.length} leaves. Give one tangent `
        + 'for each.',
    );
  }
  const { value, pullback } = vjp(fn, ...primals);
  const probe = mapTensors(value, (y) => (isFloating(y.dtype) ? alias(zerosLike(y)) : y));
  const isProbe = (y: Tensor): boolean => isFloating(y.dtype);
  const pulled = tensorsOf(pullback(probe));
  const directions = tensorsOf(tangents);
  const used = pulled.flatMap((x, i) => (isFloating(x.dtype) ? [i] : []));
  const found = gradients(
    used.map((i) => pulled[i]!),
    tensorsOf(probe).filter(isProbe),
    { cotangents: used.map((i) => directions[i]!) },
  );
  let next = 0;
  return { value, tangent: mapTensors(value, (y) => (isProbe(y) ? found[next++]! : zerosLike(y))) };
}
