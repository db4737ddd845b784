import { relativeSigma } from '@langevin/core';
import { checkNumber, readOptions, UserError } from '@langevin/tensor';
import { ramp } from '../grid/ramp.ts';
import { levelsOfSigmas, noisyCount } from '../grid/sigma-range.ts';
import { defineSpacing, type Spacing } from '../grid/spacing.ts';

const WHERE = 'core-schedules/uniform-lambda';

export interface UniformLambdaOptions {
  /** Least non-zero sigma / alpha, > 0. @default the process's at span.min */
  readonly sigmaMin?: number;
  /** Greatest sigma / alpha, > sigmaMin. @default the process's at span.max */
  readonly sigmaMax?: number;
}

/**
 * Even in lambda = log(alpha / sigma) (Lu et al. 2022, arXiv:2206.00927, section 3.4, "logSNR"). High-order samplers show their
 * order here. Flows, whose lambda is infinite at both ends, need sigmaMin and sigmaMax; see also `exponential`.
 *
 * @throws UserError when lambda is infinite at an end that is not given
 * @example
 * const levels = uniformLambda().levels(edm({ sigmaMin: 1, sigmaMax: 100 }), { steps: 2, end: 'floor' });
 * levels.map(({ sigma }) => sigma); // => [100.0, 10.0, 1.0]
 */
export function uniformLambda(options: UniformLambdaOptions = {}): Spacing {
  return defineSpacing({
    name: 'uniform-lambda',
    place: (process, count, { reachesFloor }) => {
      const { min, max } = process.span;
      const { sigmaMin = relativeSigma(process.level(min)), sigmaMax = relativeSigma(process.level(max)) } = readOptions(
        'core-schedules/uniform-lambda',
        options,
      );
      if (sigmaMin === 0 || sigmaMax === Infinity) {
        throw new UserError(
          `[${WHERE}] lambda is infinite at an end: process=${process.name}, sigma / alpha from ${sigmaMin} to ${sigmaMax}. Pass `
            + 'sigmaMin and sigmaMax, or take linspace.',
        );
      }
      checkNumber(WHERE, { sigmaMin }, { above: 0 });
      checkNumber(WHERE, { sigmaMax }, { above: sigmaMin });
      return levelsOfSigmas(
        process,
        ramp(Math.log(sigmaMax), Math.log(sigmaMin), noisyCount(process, count, { reachesFloor })).map(Math.exp),
      );
    },
  });
}
