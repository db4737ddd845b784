import { relativeSigma } from '@langevin/core';
import { defineLossWeight, type LossWeight } from '../loss-weight.ts';

/**
 * sqrt(SNR): of the epsilon loss, 1 / sqrt(SNR), "debiased estimation" (Yu et al. 2023, arXiv:2310.08442).
 *
 * @example
 * debiasedWeight().at(sigmaLevel(2)); // => 0.5
 */
export function debiasedWeight(): LossWeight {
  return defineLossWeight('debiased', (level) => 1 / relativeSigma(level));
}
