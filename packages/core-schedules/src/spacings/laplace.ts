import { checkNumber, readOptions } from '@langevin/tensor';
import { ramp } from '../grid/ramp.ts';
import { noisyCount, sigmaRange, type SigmaRangeOptions } from '../grid/sigma-range.ts';
import { defineSpacing, type Spacing } from '../grid/spacing.ts';
import { isStraight } from '../noise-process.ts';

const WHERE = 'core-schedules/laplace';
/** Keeps the logarithm finite at both ends. */
const EPSILON = 1e-5;

export interface LaplaceSpacingOptions extends SigmaRangeOptions {
  /** Centre of log sigma. @default 0 */
  readonly mu?: number;
  /** Width of the distribution of log sigma, > 0. @default 0.5 */
  readonly beta?: number;
}

/**
 * Even quantiles of a Laplace distribution of log sigma, which crowd where signal and noise balance (Hang et al. 2024,
 * arXiv:2407.03297, table 1), cut to the range of the process. Many steps meet at an end of the range and are refused there.
 *
 * @example
 * laplaceSpacing().levels(edm(), { steps: 4 }).map(({ sigma }) => sigma); // => [80, 1.2247, 0.8165, 0.0032, 0]
 */
export function laplaceSpacing(options: LaplaceSpacingOptions = {}): Spacing {
  const { mu = 0, beta = 0.5 } = readOptions('core-schedules/laplace', options);
  checkNumber(WHERE, { mu });
  checkNumber(WHERE, { beta }, { above: 0 });
  return defineSpacing({
    name: 'laplace',
    place: (process, count, { reachesFloor }) => {
      const { sigmaMin, sigmaMax, levels } = sigmaRange(WHERE, process, options);
      const noisy = noisyCount(process, count, { reachesFloor });
      // What balances is sigma / alpha; a straight path's sigma is that share of the whole.
      const own = isStraight(process) ? (relative: number): number => relative / (1 + relative) : (relative: number): number => relative;
      const sigmas = ramp(0, 1, noisy).map((u) => Math.exp(mu - beta * Math.sign(0.5 - u) * Math.log(1 - 2 * Math.abs(0.5 - u) + EPSILON)));
      const cut = sigmas.map((sigma) => Math.min(sigmaMax, Math.max(sigmaMin, own(sigma))));
      // The quantiles at 0 and 1 are infinite, and stand for the ends; EPSILON makes them something else.
      cut[0] = sigmaMax;
      if (reachesFloor && noisy === count) cut[noisy - 1] = sigmaMin;
      return levels(cut);
    },
  });
}
