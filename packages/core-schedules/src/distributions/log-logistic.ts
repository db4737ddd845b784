import { lambdaOf, sigmaLevel } from '@langevin/core';
import { checkNumber, readOptions } from '@langevin/tensor';
import { defineNoiseDistribution, type NoiseDistribution } from '../noise-distribution.ts';
import { checkSigmaRange, type TruncatedOptions } from '../distribution-parts/truncated.ts';

export interface LogLogisticOptions extends TruncatedOptions {
  /** Mean of log sigma. @default 0 */
  readonly mean?: number;
  /** Width of log sigma: pi / sqrt(3) of it is the deviation; > 0. @default 1 */
  readonly scale?: number;
}

/**
 * log sigma logistic, optionally cut at both ends, as k-diffusion trains (Crowson et al. 2024, arXiv:2401.11605, in its configurations).
 *
 * @example
 * logLogisticSigmas().quantile(0.5).sigma; // => 1
 */
export function logLogisticSigmas(options: LogLogisticOptions = {}): NoiseDistribution {
  const { mean = 0, scale = 1, sigmaMin = 0, sigmaMax = Infinity } = readOptions('core-schedules/log-logistic', options);
  const where = 'core-schedules/log-logistic-sigmas';
  checkNumber(where, { mean });
  checkNumber(where, { scale }, { above: 0 });
  checkSigmaRange(where, { sigmaMin, sigmaMax, scale: 1 });
  const shareOf = (logSigma: number): number => 1 / (1 + Math.exp((mean - logSigma) / scale));
  const [low, high] = [shareOf(Math.log(sigmaMin)), shareOf(Math.log(sigmaMax))];
  return defineNoiseDistribution({
    name: 'log-logistic-sigmas',
    quantile: (u) => {
      const share = low + u * (high - low);
      return sigmaLevel(Math.exp(mean + scale * (Math.log(share) - Math.log1p(-share))));
    },
    cdf: (level) => Math.min(1, Math.max(0, (shareOf(-lambdaOf(level)) - low) / (high - low))),
    density: (logSigma) => {
      if (logSigma < Math.log(sigmaMin) || logSigma > Math.log(sigmaMax)) return 0;
      const share = shareOf(logSigma);
      return (share * (1 - share)) / scale / (high - low);
    },
  });
}
