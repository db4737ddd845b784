import { type ConditionalDenoiser, defineConditionalDenoiser, isLevelList, type NoiseLevel, type NoiseLevels } from '@langevin/core';
import { checkNumber, UserError } from '@langevin/tensor';
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

/**
 * Data that is told where it is: x0 from N(condition, std^2), element by element, with exact pullbacks by state and condition.
 *
 * @param std deviation, >= 0; 0 is data at the condition itself
 * @throws UserError when the deviation is none; from the denoiser, where state and condition differ in length
 * @example
 * // Half-way between the condition and the state, where both say as much.
 * await gaussianAround<Float64Array>({ std: 1 })(Float64Array.of(2), sigmaLevel(1), Float64Array.of(0)); // => [1]
 */
export function gaussianAround<T extends FloatArray>({ std }: { readonly std: number }): ConditionalDenoiser<T, T> {
  checkNumber('core-schedules/testing', { std }, { atLeast: 0 });
  /** D = gain x + rest condition, an element at a time. */
  const mixed = (at: NoiseLevels, value: (i: number, gain: number, rest: number) => number, like: T): T => {
    const levels: readonly NoiseLevel[] = isLevelList(at) ? at : [at];
    const coefficients = levels.map(({ alpha, sigma }) => {
      const gain = sigma === 0 ? 1 / alpha : (alpha * std ** 2) / (alpha ** 2 * std ** 2 + sigma ** 2);
      return { gain, rest: 1 - gain * alpha };
    });
    const share = like.length / levels.length;
    return like.map((_, i) => {
      const { gain, rest } = coefficients[Math.floor(i / share)]!;
      return value(i, gain, rest);
    }) as T;
  };
  const denoise = (x: T, at: NoiseLevels, condition: T): T => {
    if (condition.length !== x.length)
      throw new UserError(
        `[core-schedules/testing] a condition is a mean for each element: length=${condition.length}, expected ${x.length}. Pass as many.`,
      );
    return mixed(at, (i, gain, rest) => gain * x[i]! + rest * condition[i]!, x);
  };
  return defineConditionalDenoiser<T, T>({
    nfe: 1,
    denoise,
    pullback: async (x, at, condition) => ({
      denoised: denoise(x, at, condition),
      vjp: async (cotangent) => ({
        x: mixed(at, (i, gain) => gain * cotangent[i]!, x),
        condition: mixed(at, (i, _, rest) => rest * cotangent[i]!, x),
      }),
    }),
  });
}
