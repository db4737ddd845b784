import type { Sampler } from '@langevin/core';
import { checkNumber, readOptions } from '@langevin/tensor';
import { checkChoice } from '../check-option.ts';
import { sdeSinglestep, type SdeSinglestepOptions } from '../sde-singlestep.ts';

export interface Seeds2Options extends SdeSinglestepOptions {
  /** Where in the step, in lambda, the second evaluation is made: 0 < r < 1. @default 0.5 */
  readonly r?: number;
  /**
   * How the slope between evaluations is weighed: as at the middle of the step, or by its exact integral.
   * @default 'midpoint', as published
   */
  readonly solverType?: 'midpoint' | 'heun';
}

/**
 * SEEDS-2 (Gonzalez et al. 2023, arXiv:2305.14267, Algorithm 2), an exponential method of the diffusion SDE with two evaluations a step
 * that see one Brownian path; in x0-prediction form. Without noise it is DPM-Solver++(2S).
 *
 * @throws UserError when an option is out of range
 * @example
 * seeds2().order; // => 2
 */
export function seeds2(given: Seeds2Options = {}): Sampler {
  const options = readOptions('samplers/seeds-2', given);
  const { r = 0.5, solverType = 'midpoint' } = options;
  checkNumber('samplers/seeds-2', { r }, { above: 0, below: 1, advice: 'Pass 0.5, or another number with 0 < r < 1.' });
  checkChoice('seeds-2', { solverType }, ['midpoint', 'heun']);
  return sdeSinglestep({
    ...options,
    name: 'seeds-2',
    paper: 'arXiv:2305.14267, Algorithm 2',
    orders: { quiet: 2, noisy: 2 },
    stages: [
      { at: r, through: [0] },
      { at: 1, through: [0, 1] },
    ],
    adjust: ([first = 0, second = 0]) => [first, solverType === 'midpoint' ? first / 2 : second],
  });
}
