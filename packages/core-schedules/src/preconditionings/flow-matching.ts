import type { NoiseLevel } from '@langevin/core';
import { checkNumber, readOptions } from '@langevin/tensor';
import type { Preconditioning } from '../preconditioning.ts';

export interface FlowMatchingPreconditioningOptions {
  /** Noise left at t = 0 in training, in [0, 1). @default 0 */
  readonly sigmaMin?: number;
  /** The number the network is given for a time. @default 1000 t, as flow() has it */
  readonly conditioning?: (t: number) => number;
}

/**
 * Networks trained by flow matching with a path that ends at sigmaMin: x = (1 - t) x0 + (sigmaMin + (1 - sigmaMin) t) epsilon, with the
 * velocity -x0 + (1 - sigmaMin) epsilon (Lipman et al. 2022, arXiv:2210.02747, eq. 22). With sigmaMin = 0 it is
 * `predictionPreconditioning` of a flow. States cleaner than sigmaMin are given to the network as of t = 0.
 *
 * @example
 * flowMatchingPreconditioning().at({ alpha: 0.75, sigma: 0.25 }).cNoise; // => 250
 */
export function flowMatchingPreconditioning(options: FlowMatchingPreconditioningOptions = {}): Preconditioning {
  const { sigmaMin = 0, conditioning = (t) => 1000 * t } = readOptions<FlowMatchingPreconditioningOptions>(
    'core-schedules/flow-matching',
    options,
  );
  checkNumber('core-schedules/flow-matching', { sigmaMin }, { atLeast: 0, below: 1 });
  const rest = 1 - sigmaMin;
  return Object.freeze({
    name: 'flow-matching',
    at: ({ alpha, sigma }: NoiseLevel) => {
      // In the path's own units (1 - sigmaMin) alpha + sigma = 1; there x0 = (1 - sigmaMin) x - sigma F.
      const scale = 1 / (rest * alpha + sigma);
      const t = Math.min(1, Math.max(0, 1 - alpha * scale));
      return { cSkip: rest * scale, cOut: -sigma * scale, cIn: scale, cNoise: conditioning(t), targetX0: -1, targetNoise: rest };
    },
  });
}
