import { checkNumber, readOptions } from '@langevin/tensor';
import { betaQuantile, incompleteBeta, logGamma } from '../maths/incomplete-beta.ts';
import type { NoiseDistribution } from '../noise-distribution.ts';
import { checkProcess, type NoiseProcess } from '../noise-process.ts';
import { overTimes } from '../distribution-parts/over-times.ts';

export interface BetaTimesOptions {
  /** The process over whose times it is. */
  readonly process: NoiseProcess;
  /** Pulls towards noise as it grows, > 0. @default 1 */
  readonly a?: number;
  /** Pulls towards clean images as it grows, > 0. @default 1 */
  readonly b?: number;
}

/**
 * Times of a beta distribution over a continuous process; with both numbers 1, uniform over the whole domain.
 *
 * @example
 * betaTimes({ process: flow(), a: 2, b: 2 }).quantile(0.5).sigma; // => 0.5
 */
export function betaTimes(options: BetaTimesOptions): NoiseDistribution {
  const { process, a = 1, b = 1 } = readOptions('core-schedules/beta', options);
  checkProcess('core-schedules/beta-times', process);
  checkNumber('core-schedules/beta-times', { a }, { above: 0, atMost: 1000 });
  checkNumber('core-schedules/beta-times', { b }, { above: 0, atMost: 1000 });
  const shape = { a, b };
  const logScale = logGamma(a + b) - logGamma(a) - logGamma(b);
  return overTimes('beta-times', process, {
    quantile: (u) => betaQuantile(u, shape),
    cdf: (t) => incompleteBeta(t, shape),
    density: (t) => Math.exp(logScale + (a - 1) * Math.log(t) + (b - 1) * Math.log1p(-t)),
  });
}
