import type { NoiseLevel } from '@langevin/core';
import { checkNumber, readOptions } from '@langevin/tensor';
import type { Preconditioning } from '../preconditioning.ts';

export interface EdmPreconditioningOptions {
  /** Standard deviation of the data, > 0. @default 0.5, that of images in [-1, 1] (the paper's) */
  readonly sigmaData?: number;
}

/**
 * Karras et al. 2022 (arXiv:2206.00364, table 1, column "Ours"): input and target of the network have unit variance at every
 * level, and errors of the network are amplified as little as possible. cNoise = log(sigma / alpha) / 4.
 *
 * Written for any units of the state: with s^2 = sigma^2 + alpha^2 sigmaData^2, cIn = 1/s, cSkip = alpha sigmaData^2 / s^2 and
 * cOut = sigma sigmaData / s.
 *
 * @example
 * edmPreconditioning().at(sigmaLevel(0.5)).cSkip; // => 0.5
 */
export function edmPreconditioning(options: EdmPreconditioningOptions = {}): Preconditioning {
  const { sigmaData = 0.5 } = readOptions('core-schedules/edm', options);
  checkNumber('core-schedules/edm', { sigmaData }, { above: 0 });
  return Object.freeze({
    name: 'edm',
    scheduler: Object.freeze({ sigma_data: sigmaData }),
    at: ({ alpha, sigma }: NoiseLevel) => {
      checkNumber('core-schedules/edm', { alpha }, { above: 0 });
      const total = Math.hypot(sigma, alpha * sigmaData);
      return {
        cSkip: (alpha * sigmaData ** 2) / total ** 2,
        cOut: (sigma * sigmaData) / total,
        cIn: 1 / total,
        // A clean state has no logarithm; the network is told the least noise that float32 can hold.
        cNoise: Math.log(Math.max(sigma / alpha, 1e-38)) / 4,
        targetX0: sigma / (sigmaData * total),
        targetNoise: (-alpha * sigmaData) / total,
      };
    },
  });
}
