import { lambdaOf, sigmaLevel } from '@langevin/core';
import { readOptions } from '@langevin/tensor';
import { defineNoiseDistribution, type NoiseDistribution } from '../noise-distribution.ts';
import { checkSigmaRange, type TruncatedOptions } from '../distribution-parts/truncated.ts';

export interface CosineOptions extends TruncatedOptions {
  /** sigma of the median: the deviation of the data, > 0. @default 1 */
  readonly sigmaData?: number;
}

/**
 * sigma = sigmaData tan(pi u / 2): uniform times of the cosine schedule without offset, and of v-diffusion (Salimans and Ho 2022,
 * arXiv:2202.00512), in EDM units. k-diffusion calls it "v-diffusion".
 *
 * @example
 * cosineSigmas().quantile(0.5).sigma; // => 1.000
 */
export function cosineSigmas(options: CosineOptions = {}): NoiseDistribution {
  const { sigmaData = 1, sigmaMin = 0, sigmaMax = Infinity } = readOptions('core-schedules/cosine', options);
  checkSigmaRange('core-schedules/cosine-sigmas', { sigmaMin, sigmaMax, scale: sigmaData });
  const shareOf = (sigma: number): number => (2 / Math.PI) * Math.atan(sigma / sigmaData);
  const [low, high] = [shareOf(sigmaMin), shareOf(sigmaMax)];
  return defineNoiseDistribution({
    name: 'cosine-sigmas',
    quantile: (u) => sigmaLevel(sigmaData * Math.tan((Math.PI / 2) * (low + u * (high - low)))),
    cdf: (level) => Math.min(1, Math.max(0, (shareOf(Math.exp(-lambdaOf(level))) - low) / (high - low))),
    density: (logSigma) => {
      const sigma = Math.exp(logSigma);
      return sigma < sigmaMin || sigma > sigmaMax ? 0 : 1 / (Math.PI * Math.cosh(logSigma - Math.log(sigmaData)) * (high - low));
    },
  });
}
