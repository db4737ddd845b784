import { lambdaOf } from '@langevin/core';
import { checkNumber, readOptions } from '@langevin/tensor';
import { defineLossWeight, type LossWeight } from '../loss-weight.ts';

/**
 * Of the epsilon error sigmoid(bias - log SNR), so of the x0 error SNR sigmoid(bias - log SNR) (Kingma and Gao 2023, arXiv:2303.00848,
 * whose bias is 2; Hoogeboom et al. 2024, arXiv:2410.19324).
 *
 * The papers weigh an integral over log SNR: draw levels evenly in it (`logUniformSigmas`), or divide by the density of your own draws.
 *
 * @example
 * sigmoidWeight().at(sigmaLevel(1)); // => 0.8808
 */
export function sigmoidWeight(options: { /** @default 2 */ readonly bias?: number } = {}): LossWeight {
  const { bias = 2 } = readOptions('core-schedules/sigmoid', options);
  checkNumber('core-schedules/sigmoid-weight', { bias });
  // SNR sigmoid(bias - log SNR) = e^bias sigmoid(log SNR - bias), finite at both ends.
  return defineLossWeight('sigmoid', (level) => Math.exp(bias) / (1 + Math.exp(bias - 2 * lambdaOf(level))));
}
