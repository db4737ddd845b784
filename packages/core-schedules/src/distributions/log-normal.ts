import { lambdaOf, sigmaLevel } from '@langevin/core';
import { checkNumber, readOptions } from '@langevin/tensor';
import { defineNoiseDistribution, type NoiseDistribution } from '../noise-distribution.ts';
import { normalCdf, normalDensity } from '../maths/normal-cdf.ts';
import { normalQuantile } from '../maths/normal-quantile.ts';

export interface LogNormalOptions {
  /** Mean of log sigma. @default -1.2, EDM's (arXiv:2206.00364, table 1) */
  readonly mean?: number;
  /** Deviation of log sigma, > 0. @default 1.2 */
  readonly std?: number;
}

/**
 * log sigma normal, in EDM units (alpha = 1) (Karras et al. 2022, arXiv:2206.00364, table 1).
 *
 * @example
 * // The median of Karras et al.: log sigma is normal around -1.2.
 * Math.log(logNormalSigmas().quantile(0.5).sigma); // => -1.2
 */
export function logNormalSigmas(options: LogNormalOptions = {}): NoiseDistribution {
  const { mean = -1.2, std = 1.2 } = readOptions('core-schedules/log-normal', options);
  checkNumber('core-schedules/log-normal-sigmas', { mean });
  checkNumber('core-schedules/log-normal-sigmas', { std }, { above: 0 });
  return defineNoiseDistribution({
    name: 'log-normal-sigmas',
    quantile: (u) => sigmaLevel(Math.exp(mean + std * normalQuantile(u))),
    cdf: (level) => normalCdf((-lambdaOf(level) - mean) / std),
    density: (logSigma) => normalDensity((logSigma - mean) / std) / std,
  });
}
