import { defineSampler, relativeSigma, type Sampler } from '@langevin/core';
import { readOptions } from '@langevin/tensor';
import { churn, type ChurnOptions } from '../churn.ts';
import { firstOrderTerms, levelInside } from '../maths/exponential.ts';
import { refusePureNoise } from '../maths/multistep.ts';
import { transferTerms } from '../maths/noise-steps.ts';

export type Dpm2Options = ChurnOptions;

/**
 * The midpoint method of Karras et al. (2022, arXiv:2206.00364, Algorithm 3 with alpha = 1/2), with the middle in log sigma, as k-diffusion
 * has it after DPM-Solver-2: Euler to the middle, and from the start of the step with the slope found there. Two evaluations a step, one
 * when it ends clean; with churn as heun() has it.
 *
 * @throws UserError when an option is out of range, and at alpha = 0, where s = sigma / alpha is infinite
 * @example
 * dpm2().order; // => 2
 */
export function dpm2(given: Dpm2Options = {}): Sampler {
  const options = readOptions('samplers/dpm-2', given);
  const raise = churn('dpm-2', options);
  return defineSampler({
    name: 'dpm-2',
    order: 2,
    stochastic: (options.sChurn ?? 0) > 0,
    paper: 'Katherine Crowson, k-diffusion, sample_dpm_2',
    step: async (input) => {
      const { to, denoise, algebra } = input;
      refusePureNoise('dpm-2', input.from);
      const { x, at: from } = await raise(input);
      const denoised = await denoise(x, from);
      const step = { from, to, x };
      if (relativeSigma(to) === 0) return { x: algebra.linear(...firstOrderTerms(step, denoised)), denoised };
      const at = levelInside(step, 1 / 2);
      const middle = algebra.linear(...firstOrderTerms({ from, to: at, x }, denoised));
      const evaluations = [
        { at: from, x, denoised },
        { at, x: middle, denoised: await denoise(middle, at) },
      ];
      return { x: algebra.linear(...transferTerms(step, evaluations, [0, 1])), denoised };
    },
  });
}
