import { readOptions, abs, add, div, minimum, mul, sqrt, square, sub, UserError, type Tensor } from '@langevin/tensor';
import { reduceLoss, type LossOptions } from './reduce.ts';
import { requireSameShape } from './shapes.ts';

/** (prediction - target)^2. @throws UserError when the shapes differ */
export function mseLoss(prediction: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  requireSameShape('mseLoss', prediction, target);
  return reduceLoss(square(sub(prediction, target)), options);
}

/** |prediction - target|, `torch.nn.L1Loss`. @throws UserError when the shapes differ */
export function maeLoss(prediction: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  requireSameShape('maeLoss', prediction, target);
  return reduceLoss(abs(sub(prediction, target)), options);
}

/**
 * d^2 / 2 where |d| < delta, else delta (|d| - delta / 2). Huber 1964.
 *
 * @param options.delta where it turns from a parabola into lines, > 0. @default 1, PyTorch's
 * @throws UserError when the shapes differ or delta is not positive
 */
export function huberLoss(prediction: Tensor, target: Tensor, options: LossOptions & { readonly delta?: number } = {}): Tensor {
  requireSameShape('huberLoss', prediction, target);
  const { delta = 1 } = readOptions('nn/huberLoss', options);
  return reduceLoss(huber('huberLoss', sub(prediction, target), delta), options);
}

/**
 * huberLoss / beta: slope 1 far out.
 * @param options.beta > 0.
 * @default 1, PyTorch's
 * @throws UserError when the shapes differ or beta is not positive
 */
export function smoothL1Loss(prediction: Tensor, target: Tensor, options: LossOptions & { readonly beta?: number } = {}): Tensor {
  requireSameShape('smoothL1Loss', prediction, target);
  const { beta = 1 } = readOptions('nn/smoothL1Loss', options);
  return reduceLoss(mul(huber('smoothL1Loss', sub(prediction, target), beta), 1 / beta), options);
}

function huber(loss: string, d: Tensor, delta: number): Tensor {
  if (!(delta > 0))
    throw new UserError(`[nn/${loss}] threshold is not positive: value=${delta}. Give a number > 0; for its limit at 0 use maeLoss.`);
  const size = abs(d);
  // With c = min(|d|, delta), c (|d| - c / 2) is both branches, and has the gradient clamp(d).
  const inner = minimum(size, delta);
  return mul(inner, sub(size, mul(inner, 0.5)));
}

/**
 * sqrt(d^2 + c^2) - c: smooth everywhere, between a parabola and lines. Song and Dhariwal 2024 (arXiv:2310.14189) take
 * c = 0.00054 sqrt(elements) on the norm of an image; here it is applied to elements.
 *
 * @param options.c width of the parabola, > 0
 */
export function pseudoHuberLoss(prediction: Tensor, target: Tensor, options: LossOptions & { readonly c: number }): Tensor {
  requireSameShape('pseudoHuberLoss', prediction, target);
  const { c } = readOptions('nn/pseudoHuberLoss', options);
  if (!(c > 0)) throw new UserError(`[nn/pseudoHuberLoss] c is not positive: c=${c}. Give a number > 0.`);
  const d2 = square(sub(prediction, target));
  // The difference of roots cancels for small d: d^2 / (root + c) does not.
  return reduceLoss(div(d2, add(sqrt(add(d2, c * c)), c)), options);
}
