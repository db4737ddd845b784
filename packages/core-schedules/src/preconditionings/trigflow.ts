import type { NoiseLevel } from '@langevin/core';
import { checkNumber, readOptions } from '@langevin/tensor';
import type { Preconditioning } from '../preconditioning.ts';

export interface TrigflowPreconditioningOptions {
  /** Standard deviation of the data, > 0. @default 0.5, the paper's */
  readonly sigmaData?: number;
}

/**
 * TrigFlow networks (Lu and Song 2024, arXiv:2410.11081, eq. 6): on states cos(angle) x0 + sin(angle) z, D = cos(angle) x - sin(angle)
 * sigmaData F, with F of x / sigmaData and the angle. They predict the velocity in units of the data, cos(angle) epsilon - sin(angle) x0 /
 * sigmaData.
 *
 * In any units of the state, and at both ends: angle = atan(sigma / (alpha sigmaData)). Up to the sign of F it is EDM's
 * preconditioning with another conditioning.
 *
 * @example
 * trigflowPreconditioning().at({ alpha: 0.6, sigma: 0.4 }).cSkip; // => 0.6
 */
export function trigflowPreconditioning(options: TrigflowPreconditioningOptions = {}): Preconditioning {
  const { sigmaData = 0.5 } = readOptions('core-schedules/trigflow', options);
  checkNumber('core-schedules/trigflow', { sigmaData }, { above: 0 });
  return Object.freeze({
    name: 'trigflow',
    at: ({ alpha, sigma }: NoiseLevel) => {
      const total = Math.hypot(sigma, alpha * sigmaData);
      const [cos, sin] = [(alpha * sigmaData) / total, sigma / total];
      return {
        cSkip: (cos * sigmaData) / total,
        cOut: -sin * sigmaData,
        cIn: 1 / total,
        cNoise: Math.atan2(sigma, alpha * sigmaData),
        targetX0: -sin / sigmaData,
        targetNoise: cos,
      };
    },
  });
}
