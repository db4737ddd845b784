import { snrOf } from '@langevin/core';
import { checkNumber, readOptions } from '@langevin/tensor';
import { defineLossWeight, type LossWeight } from '../loss-weight.ts';

/**
 * SNR gamma / (SNR + gamma), min-SNR without the corner, as k-diffusion trains: with its gamma, 1 / sigmaData^2, EDM's network loss has
 * the weight sigma^2 sigmaData^2 / (sigma^2 + sigmaData^2)^2 (Crowson et al. 2024, arXiv:2401.11605).
 *
 * @example
 * softMinSnrWeight().at(sigmaLevel(0.5)); // => 2
 */
export function softMinSnrWeight(options: { /** @default 4, of sigmaData 0.5 */ readonly gamma?: number } = {}): LossWeight {
  const { gamma = 4 } = readOptions('core-schedules/soft-min-snr', options);
  checkNumber('core-schedules/soft-min-snr-weight', { gamma }, { above: 0 });
  return defineLossWeight('soft-min-snr', (level) => {
    const snr = snrOf(level);
    return snr === Infinity ? gamma : (snr * gamma) / (snr + gamma);
  });
}
