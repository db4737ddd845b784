import { defineSampler, type Evaluation, relativeSigma, type Sampler } from '@langevin/core';
import { readOptions } from '@langevin/tensor';
import { churn, type ChurnOptions } from '../churn.ts';
import { firstOrderTerms } from '../maths/exponential.ts';
import { refusePureNoise } from '../maths/multistep.ts';
import { transferTerms } from '../maths/noise-steps.ts';

export type Heunpp2Options = ChurnOptions;

/**
 * Heun++2 (Carzit, sd-webui-samplers-scheduler): each step looks one or two levels ahead with Euler's method and averages the slopes with
 * shares sigma' / (2 sigma_max), or sigma' / (3 sigma_max) and sigma'' / (3 sigma_max), the rest for the slope at its start. It is
 * Heun's method where sigma' = sigma_max and Euler's as sigma falls, so the order is 1. Three evaluations a step, two in the last
 * but one, one in the last.
 *
 * @throws UserError when an option is out of range, and at alpha = 0, where s = sigma / alpha is infinite
 * @example
 * heunpp2().order; // => 1
 */
export function heunpp2(given: Heunpp2Options = {}): Sampler {
  const options = readOptions('samplers/heunpp2', given);
  const raise = churn('heunpp2', options);
  return defineSampler({
    name: 'heunpp2',
    order: 1,
    stochastic: (options.sChurn ?? 0) > 0,
    paper: 'Carzit, sd-webui-samplers-scheduler, Heun++test2',
    step: async (input) => {
      const { to, index, levels, denoise, algebra } = input;
      refusePureNoise('heunpp2', input.from);
      const { x, at: from } = await raise(input);
      const denoised = await denoise(x, from);
      const step = { from, to, x };
      // Levels ahead, but for the last of the run: the method never evaluates there.
      const ahead = levels.slice(index + 1, Math.min(index + 3, levels.length - 1));
      if (ahead.length === 0) return { x: algebra.linear(...firstOrderTerms(step, denoised)), denoised };
      const evaluations: Evaluation<typeof x>[] = [{ at: from, x, denoised }];
      for (const at of ahead) {
        const last = evaluations.at(-1)!;
        const state = algebra.linear(...firstOrderTerms({ from: last.at, to: at, x: last.x }, last.denoised));
        evaluations.push({ at, x: state, denoised: await denoise(state, at) });
      }
      const most = relativeSigma(levels[0]!);
      const shares = ahead.map((at) => relativeSigma(at) / (ahead.length + 1) / most);
      const own = shares.reduce((rest, share) => rest - share, 1);
      return { x: algebra.linear(...transferTerms(step, evaluations, [own, ...shares])), denoised };
    },
  });
}
