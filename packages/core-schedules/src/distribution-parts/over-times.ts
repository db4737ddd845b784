import { lambdaOf } from '@langevin/core';
import { defineNoiseDistribution, type NoiseDistribution } from '../noise-distribution.ts';
import type { NoiseProcess } from '../noise-process.ts';

/** A distribution of a number in [0, 1]. */
interface UnitDistribution {
  readonly quantile: (u: number) => number;
  readonly cdf: (t: number) => number;
  readonly density: (t: number) => number;
}

/** Levels of a process at times that lie in its domain as `of` lies in [0, 1]. */
export function overTimes(name: string, process: NoiseProcess, of: UnitDistribution): NoiseDistribution {
  const { min, max } = process.domain;
  return defineNoiseDistribution({
    name,
    quantile: (u) => process.level(min + (max - min) * of.quantile(u)),
    cdf: (level) => of.cdf((process.time(lambdaOf(level)) - min) / (max - min)),
    density: (logSigma) => {
      const t = process.time(-logSigma);
      return of.density((t - min) / (max - min)) / ((max - min) * -process.rates(t).lambda);
    },
  });
}

/** Where an increasing function over [0, 1] has a value: bisection down to the spacing of floats. */
export function invertIncreasing(fn: (u: number) => number, value: number): number {
  let [low, high] = [0, 1];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (fn(middle) < value) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
