import { defineSampler, type Sampler } from '@langevin/core';

/**
 * Heun's method in the time of a flow, x' = x + (t' - t) (v(x, t) + v(x*, t')) / 2 with v = epsilon - x0: two evaluations a step,
 * one when it ends clean. Euler's method and LCM are the same on a flow as anywhere; Heun's is not, as its second slope depends on the
 * variable that is integrated over. `heun()` integrates over sigma / alpha; this one over t = sigma / (alpha + sigma), and so starts at
 * pure noise.
 *
 * @example
 * const levels = linspaceTimes().levels(flow(), { steps: 100 });
 * await sample({
 *   sampler: flowHeun(),
 *   denoise: gaussian({ mean: [0.5], std: 0.2 }).denoiser<Float64Array>(),
 *   x: Float64Array.of(1),
 *   levels,
 * }); // => [0.7]
 */
export function flowHeun(): Sampler {
  return defineSampler({
    name: 'flow-heun',
    order: 2,
    stochastic: false,
    paper: 'Heun 1900; flows: arXiv:2209.03003',
    step: async ({ x, from, to, denoise, algebra }) => {
      const denoised = await denoise(x, from);
      // In units of alpha + sigma = 1, v = (x - D) / t, and Euler's step is the map of DDIM: r x + (1 - r) D.
      const [scale, scaleTo] = [from.alpha + from.sigma, to.alpha + to.sigma];
      const r = to.sigma / scaleTo / (from.sigma / scale);
      const kept = to.sigma / from.sigma;
      const predicted = algebra.linear([kept, x], [scaleTo * (1 - r), denoised]);
      if (to.sigma === 0) return { x: predicted, denoised };
      const again = await denoise(predicted, to);
      const first = scaleTo * (1 - r) * (1 - 1 / (2 * r));
      const second = (scaleTo * (1 / r - 1)) / 2;
      return { x: algebra.linear([kept, x], [first, denoised], [second, again]), denoised };
    },
  });
}
