import type { Denoiser, NoiseLevel } from '@langevin/core';
import type { Generator } from '@langevin/tensor';
import type { FloatArray } from '../array-algebra.ts';

/**
 * A distribution whose noisy versions are known in closed form, so that whatever works on denoisers is proved where the truth
 * is known. States are arrays of points one after another, each of `dimension` numbers.
 */
export interface AnalyticDistribution {
  readonly name: string;
  /** Numbers of one point. */
  readonly dimension: number;
  /** The exact E[x0 | x] for arrays of any number of points; a list of levels has one for each equal part of the array. */
  readonly denoiser: <T extends FloatArray>() => Denoiser<T>;
  /** log density of one noisy point. */
  readonly logDensity: (x: ArrayLike<number>, at: NoiseLevel) => number;
  /** `count` clean points. */
  readonly sample: (generator: Generator, count: number) => Float64Array;
}
