import { snrOf } from '@langevin/core';
import { defineLossWeight, type LossWeight } from '../loss-weight.ts';

/**
 * SNR: the plain epsilon loss of DDPM, L_simple (Ho et al. 2020, arXiv:2006.11239, eq. 14).
 *
 * @example
 * snrWeight().at(sigmaLevel(2)); // => 0.25
 */
export function snrWeight(): LossWeight {
  return defineLossWeight('snr', snrOf);
}
