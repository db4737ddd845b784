import type { NoiseLevel } from '@langevin/core';
import { checkNumber, readOptions } from '@langevin/tensor';
import type { Preconditioning } from '../preconditioning.ts';

export interface ConsistencyPreconditioningOptions {
  /** Standard deviation of the data, > 0. @default 0.5 */
  readonly sigmaData?: number;
  /** sigma / alpha at which the function is the identity, > 0. @default 0.002, EDM's least noise */
  readonly sigmaMin?: number;
  /** cNoise = noiseScale log(sigma / alpha). @default 250, as the released networks have it; EDM's own is 1/4 */
  readonly noiseScale?: number;
}

/**
 * Consistency functions (Song et al. 2023, arXiv:2303.01469, eq. 5 and appendix C): EDM's preconditioning with the boundary condition that
 * a state at sigmaMin is its own answer, cSkip(sigmaMin) = 1 and cOut(sigmaMin) = 0. Below sigmaMin the boundary holds.
 *
 * targetX0 and targetNoise are infinite at the boundary, where the network has no say.
 *
 * @example
 * // At its least sigma the network has no say: what it is given is the answer.
 * consistencyPreconditioning().at(sigmaLevel(0.002)).cOut; // => 0
 */
export function consistencyPreconditioning(options: ConsistencyPreconditioningOptions = {}): Preconditioning {
  const { sigmaData = 0.5, sigmaMin = 0.002, noiseScale = 250 } = readOptions('core-schedules/consistency', options);
  const where = 'core-schedules/consistency';
  checkNumber(where, { sigmaData }, { above: 0 });
  checkNumber(where, { sigmaMin }, { above: 0 });
  checkNumber(where, { noiseScale }, { above: 0 });
  return Object.freeze({
    name: 'consistency',
    at: ({ alpha, sigma }: NoiseLevel) => {
      checkNumber(where, { alpha }, { above: 0 });
      const relative = Math.max(sigma / alpha, sigmaMin);
      const total = Math.hypot(relative, sigmaData);
      const cSkip = sigmaData ** 2 / ((relative - sigmaMin) ** 2 + sigmaData ** 2);
      const cOut = ((relative - sigmaMin) * sigmaData) / total;
      return {
        cSkip: cSkip / alpha,
        cOut,
        cIn: 1 / (alpha * total),
        cNoise: noiseScale * Math.log(relative),
        targetX0: (1 - cSkip) / cOut,
        targetNoise: (-cSkip * (sigma / alpha)) / cOut,
      };
    },
  });
}
