import { div, maximum, mul, readOptions, sqrt, square, sub, sum, type Tensor } from '@langevin/tensor';
import { reduceLoss, type LossOptions } from './reduce.ts';
import { requireSameShape } from './shapes.ts';

export interface CosineOptions {
  /** Axis of the vectors, which is dropped. @default 1, PyTorch's */
  readonly axis?: number;
  /** Smallest length of a vector that is believed. @default 1e-8, PyTorch's */
  readonly epsilon?: number;
}

/** a b / (|a| |b|) along an axis: 1 for parallel, -1 for opposite vectors. @throws UserError when the shapes differ */
export function cosineSimilarity(a: Tensor, b: Tensor, options: CosineOptions = {}): Tensor {
  const { axis: axes = 1, epsilon = 1e-8 } = readOptions('nn/cosineSimilarity', options);
  requireSameShape('cosineSimilarity', a, b);
  // Raising the square keeps the gradient of the root finite at zero vectors.
  const squares = (x: Tensor): Tensor => maximum(sum(square(x), { axes }), epsilon * epsilon);
  return div(sum(mul(a, b), { axes }), mul(sqrt(squares(a)), sqrt(squares(b))));
}

/** 1 - cosineSimilarity. @throws UserError when the shapes differ */
export function cosineLoss(prediction: Tensor, target: Tensor, options: CosineOptions & LossOptions = {}): Tensor {
  return reduceLoss(sub(1, cosineSimilarity(prediction, target, options)), options);
}
