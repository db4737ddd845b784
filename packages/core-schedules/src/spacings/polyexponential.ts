import { checkNumber, readOptions } from '@langevin/tensor';
import { ramp } from '../grid/ramp.ts';
import { noisyCount, sigmaRange, type SigmaRangeOptions } from '../grid/sigma-range.ts';
import { defineSpacing, type Spacing } from '../grid/spacing.ts';

const WHERE = 'core-schedules/polyexponential';

export interface PolyexponentialOptions extends SigmaRangeOptions {
  /** Power of the ramp, > 0: above 1 there are more steps near sigmaMin. @default 1, which is `exponential` */
  readonly rho?: number;
}

/**
 * log sigma = log sigmaMin + r^rho log(sigmaMax / sigmaMin) with r evenly from 1 to 0: k-diffusion's `get_sigmas_polyexponential`.
 *
 * @example
 * polyexponential({ sigmaMin: 1, sigmaMax: 16, rho: 2 }).levels(edm(), { steps: 3 }).map(({ sigma }) => sigma); // => [16, 2, 1, 0]
 */
export function polyexponential(options: PolyexponentialOptions = {}): Spacing {
  const { rho = 1 } = readOptions('core-schedules/polyexponential', options);
  checkNumber(WHERE, { rho }, { above: 0 });
  return defineSpacing({
    name: 'polyexponential',
    place: (process, count, { reachesFloor }) => {
      const { sigmaMin, sigmaMax, levels } = sigmaRange(WHERE, process, options);
      const [low, high] = [Math.log(sigmaMin), Math.log(sigmaMax)];
      const shares = ramp(1, 0, noisyCount(process, count, { reachesFloor })).map((share) => share ** rho);
      // The ends are given; a logarithm and its exponential would move them by rounding.
      return levels(shares.map((share) => (share === 1 ? sigmaMax : share === 0 ? sigmaMin : Math.exp(low + share * (high - low)))));
    },
  });
}
