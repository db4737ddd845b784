import { lambdaOf, sigmaLevel } from '@langevin/core';
import { checkNumber, readOptions } from '@langevin/tensor';
import { defineNoiseDistribution, type NoiseDistribution } from '../noise-distribution.ts';

export interface LogUniformOptions {
  /** > 0. @default 0.002 */
  readonly sigmaMin?: number;
  /** > sigmaMin. @default 80 */
  readonly sigmaMax?: number;
}

/**
 * log sigma, and so log SNR, uniform over a range, in EDM units: what Song et al. train variance-exploding models with (arXiv:2011.13456).
 *
 * @example
 * logUniformSigmas({ sigmaMin: 0.01, sigmaMax: 100 }).quantile(0.5).sigma; // => 1.000
 */
export function logUniformSigmas(options: LogUniformOptions = {}): NoiseDistribution {
  const { sigmaMin = 0.002, sigmaMax = 80 } = readOptions('core-schedules/log-uniform', options);
  checkNumber('core-schedules/log-uniform-sigmas', { sigmaMin }, { above: 0 });
  checkNumber('core-schedules/log-uniform-sigmas', { sigmaMax }, { above: sigmaMin });
  const [low, high] = [Math.log(sigmaMin), Math.log(sigmaMax)];
  return defineNoiseDistribution({
    name: 'log-uniform-sigmas',
    quantile: (u) => sigmaLevel(Math.exp(low + u * (high - low))),
    cdf: (level) => Math.min(1, Math.max(0, (-lambdaOf(level) - low) / (high - low))),
    density: (logSigma) => (logSigma < low || logSigma > high ? 0 : 1 / (high - low)),
  });
}
