import { defineSampler, type Sampler } from '@langevin/core';
import { checkNumber, readOptions, UserError } from '@langevin/tensor';
import { checkChoice, checkKind, isObject } from '../check-option.ts';
import { reverseStep, type ReverseForm, type ReverseRates } from '../maths/reverse-sde.ts';

const FORMS = ['euler-maruyama', 'reverse-diffusion'] as const satisfies readonly ReverseForm[];

export interface EulerMaruyamaOptions {
  /**
   * Euler and Maruyama's step, or Song et al.'s reverse-diffusion predictor, which inverts the forward kernel's mean. The same at alpha =
   * 1.
   * @default 'euler-maruyama'
   */
  readonly form?: ReverseForm;
  /**
   * Growth -f dt and variance g^2 dt of a step, where the SDE's time is stepped otherwise than the levels say.
   * @default what the levels say
   */
  readonly rates?: ReverseRates;
}

/**
 * Euler and Maruyama's method on the reverse SDE (Song et al. 2021, arXiv:2011.13456, eq. 6), weak order 1. A last, clean level is reached
 * by the x0-prediction, as the score has no value there.
 *
 * @throws UserError for options out of range, and at alpha = 0, where the drift is infinite
 * @example
 * eulerMaruyama().order; // => 1
 */
export function eulerMaruyama(options: EulerMaruyamaOptions = {}): Sampler {
  const { form = 'euler-maruyama', rates } = readOptions('samplers/euler-maruyama', options);
  checkChoice('euler-maruyama', { form }, FORMS);
  if (rates !== undefined) checkRates(rates);
  return defineSampler({
    name: 'euler-maruyama',
    order: 1,
    stochastic: true,
    paper: 'arXiv:2011.13456, eq. 6',
    step: async ({ x, from, to, denoise, noise, algebra }) => {
      if (from.alpha === 0)
        throw new UserError(
          '[samplers/euler-maruyama] the drift of the reverse SDE is infinite at alpha = 0: from.alpha=0. Start at a level with '
            + 'some signal, or use ddpm().',
        );
      const denoised = await denoise(x, from);
      if (to.sigma === 0) return { x: algebra.linear([to.alpha, denoised]), denoised };
      const step = reverseStep(form, { from, to, ...(rates === undefined ? {} : { rates }) });
      return { x: algebra.linear([step.x, x], [step.denoised, denoised], [step.noise, await noise()]), denoised };
    },
  });
}

function checkRates(rates: ReverseRates): void {
  const remedy = 'Pass { growth, added }: numbers for -f dt and, >= 0, g^2 dt.';
  checkKind('euler-maruyama', { name: 'rates', value: rates, holds: isObject(rates), remedy });
  checkNumber('samplers/euler-maruyama', { 'rates.growth': rates.growth }, { advice: remedy });
  checkNumber('samplers/euler-maruyama', { 'rates.added': rates.added }, { atLeast: 0, advice: remedy });
}
