import {
  readOptions,
  add,
  div,
  equal,
  exp,
  log,
  maximum,
  mul,
  neg,
  square,
  straightThrough,
  sub,
  UserError,
  where,
  zerosLike,
  type Tensor,
} from '@langevin/tensor';
import { reduceLoss, type LossOptions } from './reduce.ts';
import { requireSameShape } from './shapes.ts';

export interface GaussianNllOptions extends LossOptions {
  /** Smallest variance that is believed. @default 1e-6, PyTorch's */
  readonly epsilon?: number;
  /** Whether log(2 pi) / 2 is added, which makes it a likelihood. @default 'without', PyTorch's */
  readonly constant?: 'with' | 'without';
}

/**
 * (log(variance) + (mean - target)^2 / variance) / 2 for a Gaussian prediction.
 *
 * The variance is raised to epsilon, and its gradient is that at the raised value, as in PyTorch.
 *
 * @throws UserError when the shapes differ
 */
export function gaussianNllLoss(
  prediction: { readonly mean: Tensor; readonly variance: Tensor },
  target: Tensor,
  options: GaussianNllOptions = {},
): Tensor {
  const { epsilon = 1e-6, constant = 'without' } = readOptions('nn/gaussianNllLoss', options);
  const { mean, variance: given } = readOptions('nn/gaussianNllLoss', prediction);
  requireSameShape('gaussianNllLoss', mean, target);
  requireSameShape('gaussianNllLoss', given, target);
  if (!(epsilon > 0)) throw new UserError(`[nn/gaussianNllLoss] epsilon is not positive: epsilon=${epsilon}. Give a number > 0.`);
  const variance = straightThrough(maximum(given, epsilon), given);
  const twice = add(log(variance), div(square(sub(mean, target)), variance));
  return reduceLoss(add(mul(twice, 0.5), constant === 'with' ? Math.log(2 * Math.PI) / 2 : 0), options);
}

/** A Gaussian by its mean and the logarithm of its variance. */
export interface Gaussian {
  readonly mean: Tensor;
  readonly logVariance: Tensor;
}

/**
 * Kullback-Leibler divergence KL(p || q) of elementwise Gaussians, in nats:
 * (log vq - log vp + vp / vq + (mp - mq)^2 / vq - 1) / 2.
 *
 * @param q @default the standard normal distribution
 * @throws UserError when the shapes differ
 */
export function gaussianKl(p: Gaussian, q?: Gaussian, options: LossOptions = {}): Tensor {
  for (const gaussian of [p, q]) readOptions('nn/gaussianKl', gaussian);
  requireSameShape('gaussianKl', p?.mean, p?.logVariance);
  if (q === undefined) return reduceLoss(mul(sub(sub(add(exp(p.logVariance), square(p.mean)), p.logVariance), 1), 0.5), options);
  requireSameShape('gaussianKl', p.mean, q.mean);
  requireSameShape('gaussianKl', p.mean, q.logVariance);
  const ratio = sub(p.logVariance, q.logVariance);
  const distance = mul(square(sub(p.mean, q.mean)), exp(neg(q.logVariance)));
  return reduceLoss(mul(sub(add(sub(exp(ratio), ratio), distance), 1), 0.5), options);
}

/**
 * target (log(target) - logPrediction), elements with target 0 count 0: `torch.nn.functional.kl_div`. Its mean is over elements; for
 * the mean over a batch, take the sum and divide.
 *
 * @param logPrediction logarithms of probabilities
 * @param target probabilities >= 0
 * @throws UserError when the shapes differ
 */
export function klDivergence(logPrediction: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  requireSameShape('klDivergence', logPrediction, target);
  const empty = equal(target, 0);
  const terms = mul(target, sub(log(where({ if: empty, then: 1, else: target })), logPrediction));
  return reduceLoss(where({ if: empty, then: zerosLike(terms), else: terms }), options);
}
