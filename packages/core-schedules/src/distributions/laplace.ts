import { lambdaOf, sigmaLevel } from '@langevin/core';
import { checkNumber, readOptions } from '@langevin/tensor';
import { defineNoiseDistribution, type NoiseDistribution } from '../noise-distribution.ts';

export interface LaplaceOptions {
  /** Mean of log SNR. @default 0 */
  readonly mean?: number;
  /** Width of log SNR, > 0. @default 0.5 */
  readonly scale?: number;
}

/**
 * log SNR Laplace, most where signal and noise are equal (Hang et al. 2024, arXiv:2407.03297, whose mean and scale are 0 and 0.5).
 *
 * @example
 * laplaceSigmas({ mean: 0 }).quantile(0.5).sigma; // => 1
 */
export function laplaceSigmas(options: LaplaceOptions = {}): NoiseDistribution {
  const { mean = 0, scale = 0.5 } = readOptions('core-schedules/laplace', options);
  checkNumber('core-schedules/laplace-sigmas', { mean });
  checkNumber('core-schedules/laplace-sigmas', { scale }, { above: 0 });
  return defineNoiseDistribution({
    name: 'laplace-sigmas',
    quantile: (u) => {
      const logSnr = mean - scale * (u < 0.5 ? Math.log(2 * u) : -Math.log(2 - 2 * u));
      return sigmaLevel(Math.exp(-logSnr / 2));
    },
    cdf: (level) => {
      const distance = (mean - 2 * lambdaOf(level)) / scale;
      return distance < 0 ? Math.exp(distance) / 2 : 1 - Math.exp(-distance) / 2;
    },
    density: (logSigma) => Math.exp(-Math.abs(-2 * logSigma - mean) / scale) / scale,
  });
}
