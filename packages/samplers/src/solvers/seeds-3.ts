import type { Sampler } from '@langevin/core';
import { checkNumber, readOptions } from '@langevin/tensor';
import { sdeSinglestep, type SdeSinglestepOptions } from '../sde-singlestep.ts';

export interface Seeds3Options extends SdeSinglestepOptions {
  /** Where in the step, in lambda, the second evaluation is made: 0 < r1 < r2. @default 1/3 */
  readonly r1?: number;
  /** Where the third one is made: r1 < r2 < 1; third order without noise at 2/3 alone. @default 2/3 */
  readonly r2?: number;
}

/**
 * SEEDS-3 (Gonzalez et al. 2023, arXiv:2305.14267, Algorithm 3): as seeds2, with three evaluations a step. Without noise it is the
 * singlestep DPM-Solver++ of third order.
 *
 * @throws UserError when an option is out of range
 * @example
 * seeds3().order; // => 2
 */
export function seeds3(given: Seeds3Options = {}): Sampler {
  const options = readOptions('samplers/seeds-3', given);
  const { r1 = 1 / 3, r2 = 2 / 3 } = options;
  checkNumber('samplers/seeds-3', { r2 }, { above: 0, below: 1, advice: 'Pass 2/3, or another number with r1 < r2 < 1.' });
  checkNumber('samplers/seeds-3', { r1 }, { above: 0, below: r2, advice: 'Pass 1/3, or another number with 0 < r1 < r2.' });
  return sdeSinglestep({
    ...options,
    name: 'seeds-3',
    paper: 'arXiv:2305.14267, Algorithm 3',
    orders: { quiet: r2 === 2 / 3 ? 3 : 2, noisy: 2 },
    stages: [
      { at: r1, through: [0] },
      { at: r2, through: [0, 1] },
      { at: 1, through: [0, 2] },
    ],
  });
}
