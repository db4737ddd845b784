import type { NoiseLevel } from '@langevin/core';
import { checkNumber } from '@langevin/tensor';
import type { Preconditioning } from '../preconditioning.ts';

/**
 * Networks of Song et al. 2021 on variance-exploding noise, as Karras et al. 2022 state them (arXiv:2206.00364, table 1,
 * column "VE"): D = x + sigma F(x, log(sigma / 2)) in units where alpha = 1, so F predicts -epsilon.
 *
 * @example
 * vePreconditioning().at(sigmaLevel(2)).cOut; // => 2
 */
export function vePreconditioning(): Preconditioning {
  return Object.freeze({
    name: 've',
    at: ({ alpha, sigma }: NoiseLevel) => {
      checkNumber('core-schedules/ve', { alpha }, { above: 0 });
      const relative = sigma / alpha;
      return {
        cSkip: 1 / alpha,
        cOut: relative,
        cIn: 1 / alpha,
        cNoise: Math.log(Math.max(relative, 1e-38) / 2),
        targetX0: 0,
        targetNoise: -1,
      };
    },
  });
}
