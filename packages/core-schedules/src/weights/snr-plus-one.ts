import { snrOf } from '@langevin/core';
import { defineLossWeight, type LossWeight } from '../loss-weight.ts';

/**
 * SNR + 1: the plain v loss (Salimans and Ho 2022, arXiv:2202.00512, section 4).
 *
 * @example
 * snrPlusOneWeight().at(sigmaLevel(2)); // => 1.25
 */
export function snrPlusOneWeight(): LossWeight {
  return defineLossWeight('snr-plus-one', (level) => snrOf(level) + 1);
}
