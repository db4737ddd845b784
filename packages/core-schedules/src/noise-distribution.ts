import type { NoiseLevel } from '@langevin/core';

/** Which noise levels training sees, and how often. */
export interface NoiseDistribution {
  readonly name: string;
  /** The level below which a share `u` of the draws lies, u in (0, 1); noise grows with u. */
  readonly quantile: (u: number) => NoiseLevel;
  /** The share of draws with no more noise than a level: the inverse of `quantile`. On a chain it rises at each of its steps. */
  readonly cdf: (level: NoiseLevel) => number;
  /** Probability density of log(sigma / alpha), where it has a closed form. */
  readonly density?: (logSigma: number) => number;
}

/**
 * A frozen distribution from its functions.
 *
 * @example
 * const always = defineNoiseDistribution({ name: 'always', quantile: () => sigmaLevel(2), cdf: ({ sigma }) => (sigma < 2 ? 0 : 1) });
 * always.quantile(0.5).sigma; // => 2
 */
export function defineNoiseDistribution(definition: NoiseDistribution): NoiseDistribution {
  return Object.freeze({ ...definition });
}
