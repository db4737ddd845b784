import { checkNumber, readOptions } from '@langevin/tensor';
import type { NoiseDistribution } from '../noise-distribution.ts';
import { checkProcess, type NoiseProcess } from '../noise-process.ts';
import { normalCdf, normalDensity } from '../maths/normal-cdf.ts';
import { normalQuantile } from '../maths/normal-quantile.ts';
import { overTimes } from '../distribution-parts/over-times.ts';

export interface LogitNormalOptions {
  /** The process over whose times it is. */
  readonly process: NoiseProcess;
  /** Mean of logit t. @default 0 */
  readonly mean?: number;
  /** Deviation of logit t, > 0. @default 1 */
  readonly std?: number;
}

/**
 * logit t normal over a continuous process, mostly middle times (Esser et al. 2024, arXiv:2403.03206, eq. 19).
 *
 * @example
 * logitNormalTimes({ process: flow() }).quantile(0.5).sigma; // => 0.5
 */
export function logitNormalTimes(options: LogitNormalOptions): NoiseDistribution {
  const { process, mean = 0, std = 1 } = readOptions('core-schedules/logit-normal', options);
  checkProcess('core-schedules/logit-normal-times', process);
  checkNumber('core-schedules/logit-normal-times', { mean });
  checkNumber('core-schedules/logit-normal-times', { std }, { above: 0 });
  return overTimes('logit-normal-times', process, {
    quantile: (u) => 1 / (1 + Math.exp(-(mean + std * normalQuantile(u)))),
    cdf: (t) => normalCdf((Math.log(t) - Math.log1p(-t) - mean) / std),
    density: (t) => normalDensity((Math.log(t) - Math.log1p(-t) - mean) / std) / (std * t * (1 - t)),
  });
}
