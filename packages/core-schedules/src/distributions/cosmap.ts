import { readOptions } from '@langevin/tensor';
import type { NoiseDistribution } from '../noise-distribution.ts';
import { checkProcess, type NoiseProcess } from '../noise-process.ts';
import { overTimes } from '../distribution-parts/over-times.ts';

export interface CosmapTimesOptions {
  /** The process over whose times it is. */
  readonly process: NoiseProcess;
}

/**
 * Times t = 1 - 1 / (1 + tan(pi u / 2)), by which a flow sees the log SNR of the cosine schedule (Esser et al. 2024, arXiv:2403.03206, eq.
 * 21).
 *
 * @example
 * cosmapTimes({ process: flow() }).quantile(0.5).sigma; // => 0.5
 */
export function cosmapTimes(options: CosmapTimesOptions): NoiseDistribution {
  const { process } = readOptions('core-schedules/cosmap', options);
  checkProcess('core-schedules/cosmap-times', process);
  return overTimes('cosmap-times', process, {
    quantile: (u) => {
      const angle = (Math.PI / 2) * u;
      return Math.sin(angle) / (Math.sin(angle) + Math.cos(angle));
    },
    cdf: (t) => (2 / Math.PI) * Math.atan2(t, 1 - t),
    density: (t) => 2 / (Math.PI * (1 - 2 * t + 2 * t ** 2)),
  });
}
