import type { ConditionalDenoiser, Denoiser, NoiseLevel } from '@langevin/core';
import type { Generator } from '@langevin/tensor';
import type { FloatArray } from '../array-algebra.ts';
import type { ComponentLabels } from './posterior-mean.ts';

/**
 * A distribution whose noisy versions are known in closed form, so that whatever works on denoisers is proved where the truth
 * is known. States are arrays of points one after another, each of `dimension` numbers.
 */
export interface AnalyticDistribution {
  readonly name: string;
  /** Numbers of one point. */
  readonly dimension: number;
  /**
   * The exact E[x0 | x] for arrays of any number of points, with its exact pullback; a list of levels has one for each equal part of the
   * array.
   */
  readonly denoiser: <T extends FloatArray>() => Denoiser<T>;
  /** The same for points whose component is known: E[x0 | x, component], without a condition where it is null. */
  readonly conditional: <T extends FloatArray>() => ConditionalDenoiser<T, ComponentLabels>;
  /** log density of one noisy point. */
  readonly logDensity: (x: ArrayLike<number>, at: NoiseLevel) => number;
  /** `count` clean points. */
  readonly sample: (generator: Generator, count: number) => Float64Array;
}
