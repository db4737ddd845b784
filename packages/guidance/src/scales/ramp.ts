import { checkNumber, readOptions, shownValue, UserError } from '@langevin/tensor';
import type { Scale } from './scale.ts';

export interface RampOptions {
  /** At pure noise. */
  readonly noisy: number;
  /** Without noise. */
  readonly clean: number;
  /** How it goes from one to the other: evenly, or slowly at both ends. @default 'linear' */
  readonly curve?: 'linear' | 'cosine';
}

/**
 * A scale that grows or falls along the run (Wang et al. 2024, arXiv:2404.13040, who find that growing ones keep more variety). The place
 * of a level is its angle atan(sigma / alpha) in units of a right angle: 0 for a clean sample and 1 for pure noise of every process.
 *
 * @throws UserError for numbers or a curve that are none
 * @example
 * const scale = rampScale({ noisy: 1, clean: 7 });
 * [{ alpha: 0, sigma: 1 }, { alpha: 1, sigma: 1 }, CLEAN].map(scale); // => [1, 4, 7]
 */
export function rampScale(options: RampOptions): Exclude<Scale, number> {
  const where = 'guidance/ramp';
  const { noisy, clean, curve = 'linear' } = readOptions(where, options);
  checkNumber(where, { noisy, clean }, { atLeast: -1e6, atMost: 1e6 });
  if (curve !== 'linear' && curve !== 'cosine')
    throw new UserError(`[${where}] unknown curve: curve=${shownValue(curve)}. Known: linear, cosine.`);
  return ({ alpha, sigma }) => {
    const place = Math.atan2(sigma, alpha) / (Math.PI / 2);
    const share = curve === 'linear' ? place : (1 - Math.cos(Math.PI * place)) / 2;
    return clean + (noisy - clean) * share;
  };
}
