import { checkNumber } from '../check-number.ts';
import { isFloating } from '../dtype.ts';
import { UserError } from '../errors.ts';
import { readOptions } from '../read-options.ts';
import { sizeOf } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { add, div, sub } from './binary.ts';
import { equal, isFinite, where } from './compare.ts';
import { max } from './reduce.ts';
import { tensorOf } from './operands.ts';
import { REDUCE_OPTIONS, reduceParams, sum, type ReduceOptions } from './sum.ts';
import { stopGradient } from './schedule.ts';
import { reshape } from './shaping.ts';
import { slice } from './slicing.ts';
import { exp, log, sqrt, square } from './unary.ts';

/** Sum divided by count along axes; NaN over no elements. */
export function mean(x: Tensor, options: ReduceOptions = {}): Tensor {
  const { axes } = reduceParams('tensor/mean', x, options);
  if (!isFloating(x.dtype)) throw new UserError(`[tensor/mean] dtype is not a float: dtype=${x.dtype}. cast(x, 'float32') first.`);
  return div(sum(x, options), sizeOf(axes.map((axis) => x.shape[axis]!)));
}

export interface VarianceOptions extends ReduceOptions {
  /** Subtracted from the count in the divisor: 0 for a population, 1 for an unbiased estimate. @default 0 */
  readonly correction?: number;
}

/** Mean square distance from the mean along axes. It is exactly 0 for equal elements, whatever their size. */
export function variance(x: Tensor, options: VarianceOptions = {}): Tensor {
  const { correction = 0, ...reduction } = readOptions('tensor/variance', options, [...REDUCE_OPTIONS, 'correction']);
  const { axes } = reduceParams('tensor/variance', x, reduction);
  checkNumber('tensor/variance', { correction });
  const count = sizeOf(axes.map((axis) => x.shape[axis]!));
  const shifted = fromFirst(x, axes);
  const centred = sub(shifted, mean(shifted, { axes, dims: 'keep' }));
  return div(sum(square(centred), reduction), count - correction);
}

/** Distances from the first element along axes. A shift changes no variance, so none of the gradient goes through it. */
function fromFirst(x: Tensor, axes: readonly number[]): Tensor {
  if (axes.some((axis) => x.shape[axis] === 0)) return x;
  return sub(x, stopGradient(slice(x, Object.fromEntries(axes.map((axis) => [axis, { stop: 1 }])))));
}

/** Square root of {@link variance}; its gradient is 0 where all elements are equal, as in PyTorch. */
export function std(x: Tensor, options: VarianceOptions = {}): Tensor {
  return lengthOf(variance(x, options));
}

/**
 * sqrt(squares) of a sum of squares, with a gradient of 0 at 0, where that of `sqrt` is infinite: the length of a vector, by PyTorch's
 * choice of a subgradient.
 */
export function lengthOf(squares: Tensor): Tensor {
  const isZero = equal(tensorOf('tensor/lengthOf', squares), 0);
  return where({ if: isZero, then: 0, else: sqrt(where({ if: isZero, then: 1, else: squares })) });
}

/** log(sum(exp(x))) along axes, without overflow; infinite where the largest element is. */
export function logSumExp(x: Tensor, options: ReduceOptions = {}): Tensor {
  const { axes } = reduceParams('tensor/logSumExp', x, options);
  const { shift, below } = belowLargest(x, axes);
  const kept = add(log(sum(exp(below), { axes, dims: 'keep' })), shift);
  return options.dims === 'keep'
    ? kept
    : reshape(
        kept,
        x.shape.filter((_, i) => !axes.includes(i)),
      );
}

/** x with its largest element along the axes taken off, where that is finite, and what was taken off. */
export function belowLargest(x: Tensor, axes: readonly number[]): { readonly shift: Tensor; readonly below: Tensor } {
  // Any shift gives the same value, so none of the gradient needs to go through it. An infinite one would give infinity - infinity.
  const top = stopGradient(max(x, { axes, dims: 'keep' }));
  const shift = where({ if: isFinite(top), then: top, else: 0 });
  return { shift, below: sub(x, shift) };
}
