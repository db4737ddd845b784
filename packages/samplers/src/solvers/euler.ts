import { defineSampler, type Sampler } from '@langevin/core';
import { readOptions } from '@langevin/tensor';
import { churn, type ChurnOptions } from '../churn.ts';
import { firstOrderTerms } from '../maths/exponential.ts';

/** Churn makes it the stochastic sampler of the same paper with Euler steps. */
export type EulerOptions = ChurnOptions;

/**
 * Euler's method on the probability-flow ODE dx/ds = (x - D) / s of EDM units, s = sigma / alpha (Karras et al. 2022,
 * arXiv:2206.00364, Algorithm 2 without its lines 9 to 12). In any units it is x' = alpha' (D + (s' / s) (x / alpha - D)), which stays
 * finite at alpha = 0; on flows it is Euler's method in t.
 *
 * @throws UserError when an option is out of range
 * @example
 * euler().order; // => 1
 */
export function euler(given: EulerOptions = {}): Sampler {
  const options = readOptions('samplers/euler', given);
  const raise = churn('euler', options);
  return defineSampler({
    name: 'euler',
    order: 1,
    stochastic: (options.sChurn ?? 0) > 0,
    paper: 'arXiv:2206.00364, Algorithm 2',
    step: async (input) => {
      const { to, denoise, algebra } = input;
      const { x, at } = await raise(input);
      const denoised = await denoise(x, at);
      return { x: algebra.linear(...firstOrderTerms({ from: at, to, x }, denoised)), denoised };
    },
  });
}
