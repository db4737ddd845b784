import { snrOf } from '@langevin/core';
import { checkNumber, readOptions } from '@langevin/tensor';
import { defineLossWeight, type LossWeight } from '../loss-weight.ts';

export interface P2Options {
  /** How strongly levels of little noise, whose details nobody sees, count less; >= 0, 0 is the epsilon loss. @default 1 */
  readonly gamma?: number;
  /** Keeps the weight finite at pure noise, > 0. @default 1 */
  readonly k?: number;
}

/**
 * SNR / (k + SNR)^gamma, "perception prioritized" (Choi et al. 2022, arXiv:2204.00227): of the epsilon loss, 1 / (k + SNR)^gamma.
 *
 * @example
 * p2Weight().at(sigmaLevel(1)); // => 0.5
 */
export function p2Weight(options: P2Options = {}): LossWeight {
  const { gamma = 1, k = 1 } = readOptions('core-schedules/p2', options);
  checkNumber('core-schedules/p2-weight', { gamma }, { atLeast: 0 });
  checkNumber('core-schedules/p2-weight', { k }, { above: 0 });
  return defineLossWeight('p2', (level) => {
    const snr = snrOf(level);
    return snr / (k + snr) ** gamma;
  });
}
