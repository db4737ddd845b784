import type { Sampler } from '@langevin/core';
import { readOptions } from '@langevin/tensor';
import { checkChoice } from '../check-option.ts';
import { checkLowerOrderFinal } from '../maths/multistep.ts';
import { sdeMultistep, type SdeMultistepOptions } from '../sde-multistep.ts';

export interface Dpmpp3mSdeOptions extends SdeMultistepOptions {
  /**
   * Weight of the second difference:
   * - `exact`: its integral, which makes it of third order without noise; with noise it is of second
   * - `reference`: half of that, as published and in k-diffusion; of second order
   * - `diffusers`: as in diffusers, whose slipped sign leaves a weight that does not vanish with the step; of first order
   *
   * @default 'exact'
   */
  readonly weights?: 'exact' | 'reference' | 'diffusers';
  /**
   * How the second step, which has one evaluation before it, weighs the slope.
   * @default 'heun', as k-diffusion; diffusers' default is 'midpoint'
   */
  readonly solverType?: 'midpoint' | 'heun';
}

/**
 * DPM-Solver++(3M) for the diffusion SDE (k-diffusion, after Lu et al. 2022, arXiv:2211.01095): as dpmpp2mSde, through three
 * evaluations.
 *
 * @throws UserError when an option is out of range
 * @example
 * dpmpp3mSde().order; // => 2
 */
export function dpmpp3mSde(given: Dpmpp3mSdeOptions = {}): Sampler {
  const options = readOptions('samplers/dpmpp-3m-sde', given);
  const { weights = 'exact', solverType = 'heun', prediction = 'x0', lowerOrderFinal = 'clean' } = options;
  checkChoice('dpmpp-3m-sde', { weights }, ['exact', 'reference', 'diffusers']);
  checkChoice('dpmpp-3m-sde', { solverType }, ['midpoint', 'heun']);
  checkChoice('dpmpp-3m-sde', { prediction }, ['x0', 'epsilon']);
  checkLowerOrderFinal('dpmpp-3m-sde', lowerOrderFinal);
  return sdeMultistep({
    ...options,
    name: 'dpmpp-3m-sde',
    paper: 'arXiv:2211.01095',
    evaluations: 3,
    orders: { quiet: QUIET_ORDER[weights], noisy: weights === 'diffusers' ? 1 : 2 },
    adjust: ([first = 0, second = 0, third]) => {
      if (third === undefined) return [first, solverType === 'midpoint' ? first / 2 : second];
      return [first, second, THIRD[weights](third)];
    },
  });
}

const QUIET_ORDER = { exact: 3, reference: 2, diffusers: 1 } as const;

/** From the integral of theta^2 to the weight of the second difference. */
const THIRD = {
  exact: (moment: number) => moment,
  reference: (moment: number) => moment / 2,
  diffusers: (moment: number) => moment / 2 - 1,
} as const;
