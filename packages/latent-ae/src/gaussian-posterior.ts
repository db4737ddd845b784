import type { Posterior } from '@langevin/core';
import { add, clamp, exp, mul, split, square, sub, sum, type Tensor } from '@langevin/tensor';

/** Beyond these the variance of float32 is no number any more: the bounds of latent diffusion's code. */
const LOG_VARIANCE = { min: -30, max: 20 } as const;

/**
 * The normal distribution of a latent whose mean and log variance are stacked along the channels, [N, 2 C, ...], with independent elements.
 * Its divergence is KL(q || N(0, I)) = sum (mean^2 + variance - 1 - log variance) / 2 (Kingma and Welling 2014, arXiv:1312.6114,
 * appendix B).
 */
export function gaussianPosterior(moments: Tensor): Posterior {
  const [mean, stored] = split(moments, 2, 1) as [Tensor, Tensor];
  const logVariance = clamp(stored, LOG_VARIANCE);
  const axes = moments.shape.slice(1).map((_, i) => i + 1);
  return Object.freeze({
    mode: mean,
    moments,
    sample: (noise: Tensor) => add(mean, mul(exp(mul(logVariance, 0.5)), noise)),
    divergence: mul(sum(sub(sub(add(square(mean), exp(logVariance)), 1), logVariance), { axes }), 0.5),
  });
}
