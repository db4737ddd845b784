import { defineSampler, type Sampler } from '../sampler.ts';

/**
 * Euler's method on the probability-flow ODE dx/ds = (x - D) / s of EDM units, s = sigma / alpha (Karras et al. 2022,
 * arXiv:2206.00364, Algorithm 1 without its lines 6 to 8). In any units it is x' = alpha' (D + (s' / s) (x / alpha - D)), which stays finite at alpha = 0;
 * on flows it is Euler's method in t.
 */
export function euler(): Sampler {
  return defineSampler({
    name: 'euler',
    order: 1,
    stochastic: false,
    paper: 'arXiv:2206.00364, Algorithm 1',
    step: async ({ x, from, to, denoise, algebra }) => {
      const denoised = await denoise(x, from);
      const ratio = (to.sigma * from.alpha) / (to.alpha * from.sigma);
      return { x: algebra.linear([to.sigma / from.sigma, x], [to.alpha * (1 - ratio), denoised]), denoised };
    },
  });
}
