import { snrOf } from '@langevin/core';
import { checkNumber, readOptions } from '@langevin/tensor';
import { defineLossWeight, type LossWeight } from '../loss-weight.ts';

/**
 * min(SNR, gamma): all levels learn at a like pace (Hang et al. 2023, arXiv:2303.09556, section 3.4, whose gamma is 5). Of an epsilon
 * network's own error it is min(SNR, gamma) / SNR, of a v network's min(SNR, gamma) / (SNR + 1).
 *
 * @example
 * [0.1, 1].map((sigma) => minSnrWeight().at(sigmaLevel(sigma))); // => [5, 1]
 */
export function minSnrWeight(options: { /** @default 5 */ readonly gamma?: number } = {}): LossWeight {
  const { gamma = 5 } = readOptions('core-schedules/min-snr', options);
  checkNumber('core-schedules/min-snr-weight', { gamma }, { above: 0 });
  return defineLossWeight('min-snr', (level) => Math.min(snrOf(level), gamma));
}
