import { snrOf } from '@langevin/core';
import { defineLossWeight, type LossWeight } from '../loss-weight.ts';

/**
 * max(SNR, 1) (Salimans and Ho 2022, arXiv:2202.00512, section 4).
 *
 * @example
 * [0.5, 2].map((sigma) => truncatedSnrWeight().at(sigmaLevel(sigma))); // => [4, 1]
 */
export function truncatedSnrWeight(): LossWeight {
  return defineLossWeight('truncated-snr', (level) => Math.max(snrOf(level), 1));
}
