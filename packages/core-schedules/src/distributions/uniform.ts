import { lambdaOf } from '@langevin/core';
import { checkNumber, readOptions } from '@langevin/tensor';
import { defineNoiseDistribution, type NoiseDistribution } from '../noise-distribution.ts';
import { checkProcess, type NoiseProcess } from '../noise-process.ts';

export interface UniformTimesOptions {
  /** The process over whose times it is. */
  readonly process: NoiseProcess;
  /** @default 1e-5, as Song et al. train (domain.min if that is more) */
  readonly min?: number;
  /** @default domain.max */
  readonly max?: number;
}

/**
 * Times uniform over a process's domain; for a chain, its steps are equally likely.
 *
 * @example
 * uniformTimes({ process: flow() }).quantile(0.25).sigma; // => 0.25
 */
export function uniformTimes(options: UniformTimesOptions): NoiseDistribution {
  const { process, ...given } = readOptions('core-schedules/uniform-times', options);
  checkProcess('core-schedules/uniform-times', process);
  const { min = Math.max(1e-5, process.domain.min), max = process.domain.max } = given;
  checkNumber('core-schedules/uniform-times', { max }, { atLeast: process.domain.min, atMost: process.domain.max });
  checkNumber('core-schedules/uniform-times', { min }, { atLeast: process.domain.min, atMost: max });
  const { steps } = process;
  if (steps === undefined) {
    return defineNoiseDistribution({
      name: 'uniform-times',
      quantile: (u) => process.level(min + u * (max - min)),
      cdf: (level) => Math.min(1, Math.max(0, (process.time(lambdaOf(level)) - min) / (max - min))),
      density: (logSigma) => {
        const t = process.time(-logSigma);
        return t < min || t > max ? 0 : 1 / ((max - min) * -process.rates(t).lambda);
      },
    });
  }
  const first = Math.round(min * steps);
  const count = Math.round(max * steps) - first + 1;
  return defineNoiseDistribution({
    name: 'uniform-times',
    quantile: (u) => process.level((first + Math.min(count - 1, Math.floor(u * count))) / steps),
    // A level that is a step counts as reached in spite of rounding; the least noise of a chain is less than all others.
    cdf: (level) => {
      if (lambdaOf(level) > process.lambda(first / steps) + 1e-12) return 0;
      return Math.min(count, Math.max(0, Math.floor(process.time(lambdaOf(level)) * steps - first + 1 + 1e-9))) / count;
    },
  });
}
