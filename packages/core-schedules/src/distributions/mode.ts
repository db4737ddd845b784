import { checkNumber, readOptions } from '@langevin/tensor';
import type { NoiseDistribution } from '../noise-distribution.ts';
import { checkProcess, type NoiseProcess } from '../noise-process.ts';
import { invertIncreasing, overTimes } from '../distribution-parts/over-times.ts';

export interface ModeTimesOptions {
  /** The process over whose times it is. */
  readonly process: NoiseProcess;
  /** Favours the middle if positive, the ends if negative; -1..2 / (pi - 2). @default 1.29, Stable Diffusion 3's */
  readonly scale?: number;
}

/**
 * Times with heavy ends: t = 1 - u - s (cos^2(pi u / 2) - 1 + u), whose density at the ends does not vanish as the logit-normal's does
 * (Esser et al. 2024, arXiv:2403.03206, eq. 20). `scale` s in [-1, 2 / (pi - 2)] favours the middle if positive, the ends if negative.
 *
 * @example
 * modeTimes({ process: flow() }).quantile(0.5).sigma; // => 0.5
 */
export function modeTimes(options: ModeTimesOptions): NoiseDistribution {
  const { process, scale = 1.29 } = readOptions('core-schedules/mode', options);
  checkProcess('core-schedules/mode-times', process);
  checkNumber('core-schedules/mode-times', { scale }, { atLeast: -1, atMost: 2 / (Math.PI - 2) });
  // With 1 - u for u, noise grows with u.
  const quantile = (u: number): number => u - scale * (Math.sin((Math.PI / 2) * u) ** 2 - u);
  const cdf = (t: number): number => invertIncreasing(quantile, t);
  return overTimes('mode-times', process, {
    quantile,
    cdf,
    density: (t) => 1 / (1 + scale - (scale * Math.PI * Math.sin(Math.PI * cdf(t))) / 2),
  });
}
