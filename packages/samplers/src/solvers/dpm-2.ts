import { relativeSigma } from '@langevin/core-schedules';
import { firstOrderTerms, levelInside } from '../maths/exponential.ts';
import { refusePureNoise } from '../maths/multistep.ts';
import { transferTerms } from '../maths/noise-steps.ts';
import { defineSampler, type Sampler } from '../sampler.ts';

/**
 * The midpoint method of Karras et al. (2022, arXiv:2206.00364, Algorithm 3 with alpha = 1/2), with the middle in log sigma, as k-diffusion has it after
 * DPM-Solver-2: Euler to the middle, and from the start of the step with the slope found there. Two evaluations a step, one when it
 * ends clean.
 *
 * @throws UserError at alpha = 0, where s = sigma / alpha is infinite
 */
export function dpm2(): Sampler {
  return defineSampler({
    name: 'dpm-2',
    order: 2,
    stochastic: false,
    paper: 'Katherine Crowson, k-diffusion, sample_dpm_2',
    step: async (input) => {
      const { x, from, to, denoise, algebra } = input;
      refusePureNoise('dpm-2', from);
      const denoised = await denoise(x, from);
      if (relativeSigma(to) === 0) return { x: algebra.linear(...firstOrderTerms(input, denoised)), denoised };
      const at = levelInside(input, 1 / 2);
      const middle = algebra.linear(...firstOrderTerms({ from, to: at, x }, denoised));
      const evaluations = [{ at: from, x, denoised }, { at, x: middle, denoised: await denoise(middle, at) }];
      return { x: algebra.linear(...transferTerms(input, evaluations, [0, 1])), denoised };
    },
  });
}
