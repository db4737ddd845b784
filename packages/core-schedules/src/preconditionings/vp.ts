import { checkNumber, readOptions } from '@langevin/tensor';
import type { LinearBetaOptions } from '../maths/linear-beta.ts';
import { vpLinear } from '../processes/vp-linear.ts';
import { predictionPreconditioning } from './prediction.ts';
import type { Preconditioning } from '../preconditioning.ts';

export interface VpPreconditioningOptions extends LinearBetaOptions {
  /** The networks know time as 0..steps - 1. @default 1000 */
  readonly steps?: number;
}

/**
 * Networks of Song et al. 2021 on continuous variance-preserving noise, as Karras et al. 2022 state them (arXiv:2206.00364, table 1, column
 * "VP"): in sigma units cSkip = 1, cOut = -sigma, cIn = 1 / sqrt(sigma^2 + 1), cNoise = (steps - 1) t.
 *
 * @example
 * vpPreconditioning().at(sigmaLevel(3)).cOut; // => -3
 */
export function vpPreconditioning(options: VpPreconditioningOptions = {}): Preconditioning {
  const { steps = 1000, ...betas } = readOptions('core-schedules/vp', options);
  checkNumber('core-schedules/vp', { steps }, { atLeast: 2, kind: 'integer' });
  return Object.freeze({
    ...predictionPreconditioning({ process: vpLinear(betas), prediction: 'epsilon', conditioning: (t) => (steps - 1) * t }),
    name: 'vp',
  });
}
