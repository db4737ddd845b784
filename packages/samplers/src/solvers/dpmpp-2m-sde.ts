import type { Sampler } from '@langevin/core';
import { readOptions } from '@langevin/tensor';
import { checkChoice } from '../check-option.ts';
import { checkLowerOrderFinal } from '../maths/multistep.ts';
import { sdeMultistep, type SdeMultistepOptions } from '../sde-multistep.ts';

export interface Dpmpp2mSdeOptions extends SdeMultistepOptions {
  /**
   * How the slope between evaluations is weighed: as at the middle of the step, or by its exact integral.
   * @default 'midpoint', k-diffusion's and diffusers' default
   */
  readonly solverType?: 'midpoint' | 'heun';
  /** Evaluations that a step uses. @default 2 */
  readonly order?: 1 | 2;
}

/**
 * DPM-Solver++(2M) for the diffusion SDE (Lu et al. 2022, arXiv:2211.01095, section 5; with any share of noise as in k-diffusion). Of
 * second order, with noise in the weak sense; for `eta: 0` it is DPM-Solver++(2M). diffusers' `sde-dpmsolver++` and, with `prediction:
 * 'epsilon'`, `sde-dpmsolver`.
 *
 * @throws UserError when an option is out of range
 * @example
 * dpmpp2mSde().order; // => 2
 */
export function dpmpp2mSde(given: Dpmpp2mSdeOptions = {}): Sampler {
  const options = readOptions('samplers/dpmpp-2m-sde', given);
  const { solverType = 'midpoint', order = 2, prediction = 'x0', lowerOrderFinal = 'clean' } = options;
  checkChoice('dpmpp-2m-sde', { solverType }, ['midpoint', 'heun']);
  checkChoice('dpmpp-2m-sde', { prediction }, ['x0', 'epsilon']);
  checkChoice('dpmpp-2m-sde', { order }, [1, 2]);
  checkLowerOrderFinal('dpmpp-2m-sde', lowerOrderFinal);
  return sdeMultistep({
    ...options,
    name: 'dpmpp-2m-sde',
    paper: 'arXiv:2211.01095',
    evaluations: order,
    orders: { quiet: order, noisy: order },
    adjust: ([first = 0, second = 0]) => [first, solverType === 'midpoint' ? first / 2 : second],
  });
}
