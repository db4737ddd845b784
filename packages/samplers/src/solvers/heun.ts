import { defineSampler, relativeSigma, type Sampler } from '@langevin/core';
import { readOptions } from '@langevin/tensor';
import { churn, type ChurnOptions } from '../churn.ts';
import { refusePureNoise } from '../maths/multistep.ts';

export type HeunOptions = ChurnOptions;

/**
 * Heun's second-order method in s = sigma / alpha, with churn (Karras et al. 2022, arXiv:2206.00364, Algorithm 2); two
 * evaluations a step, one when it ends clean: 18 steps are 35.
 *
 * @throws UserError when an option is out of range, and at alpha = 0, where s is infinite
 * @example
 * heun().order; // => 2
 */
export function heun(given: HeunOptions = {}): Sampler {
  const options = readOptions('samplers/heun', given);
  const raise = churn('heun', options);
  return defineSampler({
    name: 'heun',
    order: 2,
    stochastic: (options.sChurn ?? 0) > 0,
    paper: 'arXiv:2206.00364, Algorithm 2',
    step: async (input) => {
      const { from, to, denoise, algebra } = input;
      refusePureNoise('heun', from);
      const { x: xHat, at: raised } = await raise(input);

      const denoised = await denoise(xHat, raised);
      // With r = s' / s, Euler's step leads to alpha' (r x / alpha + (1 - r) D).
      const r = relativeSigma(to) / relativeSigma(raised);
      const predicted = algebra.linear([to.sigma / raised.sigma, xHat], [to.alpha * (1 - r), denoised]);
      if (to.sigma === 0) return { x: predicted, denoised };

      // The mean of both slopes, with x / alpha at the second one put in terms of the first.
      const again = await denoise(predicted, to);
      const first = to.alpha * (1 - r) * (1 - 1 / (2 * r));
      const second = (to.alpha * (1 / r - 1)) / 2;
      return { x: algebra.linear([to.sigma / raised.sigma, xHat], [first, denoised], [second, again]), denoised };
    },
  });
}
