import type { NoiseLevel } from '@langevin/core';
import type { FloatArray } from '../array-algebra.ts';
import type { AnalyticDistribution } from './distribution.ts';
import { mixture } from './mixture.ts';

export interface GaussianOptions {
  readonly mean: readonly number[];
  /** Deviation along each axis, >= 0; one number serves all. */
  readonly std: number | readonly number[];
}

/** A Gaussian with diagonal covariance, for which even the sampling path is known. */
export interface Gaussian extends AnalyticDistribution {
  /** Where the probability-flow ODE leads points from one level to another: exactly. */
  readonly flow: (x: FloatArray, levels: { readonly from: NoiseLevel; readonly to: NoiseLevel }) => Float64Array;
  /** Var(x0 | x), along one axis, the same for every x. */
  readonly posteriorVariance: (at: NoiseLevel, axis?: number) => number;
}

/**
 * N(mean, diag(std^2)): at a level it is N(alpha mean, alpha^2 std^2 + sigma^2), and the ODE scales the distance from the mean
 * with the deviation.
 *
 * @example
 * const denoise = gaussian({ mean: [0], std: 1 }).denoiser<Float64Array>();
 * await denoise(Float64Array.of(2), sigmaLevel(1)); // => [1]
 */
export function gaussian({ mean, std }: GaussianOptions): Gaussian {
  const base = mixture([{ mean, std }], 'gaussian');
  const variances = mean.map((_, d) => (typeof std === 'number' ? std : std[d]!) ** 2);
  const deviation = ({ alpha, sigma }: NoiseLevel, d: number): number => Math.sqrt(alpha ** 2 * variances[d]! + sigma ** 2);
  return Object.freeze({
    ...base,
    flow: (x: FloatArray, { from, to }: { readonly from: NoiseLevel; readonly to: NoiseLevel }) =>
      Float64Array.from(x, (value, i) => {
        const d = i % mean.length;
        return to.alpha * mean[d]! + (deviation(to, d) / deviation(from, d)) * (value - from.alpha * mean[d]!);
      }),
    posteriorVariance: ({ alpha, sigma }: NoiseLevel, axis = 0) =>
      (variances[axis]! * sigma ** 2) / (alpha ** 2 * variances[axis]! + sigma ** 2),
  });
}
