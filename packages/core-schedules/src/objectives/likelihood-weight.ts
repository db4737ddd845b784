import { lambdaOf, snrOf } from '@langevin/core';
import { defineLossWeight, type LossWeight } from '../loss-weight.ts';
import type { NoiseProcess } from '../noise-process.ts';

/**
 * Likelihood weighting: the score's squared error counts g(t)^2, the squared diffusion of the process, which makes the loss under
 * uniform times a bound on the negative log-likelihood (Song et al. 2021, arXiv:2101.09258, theorem 1). In units of the x0 error it is
 * -2 lambda'(t) SNR.
 *
 * @example
 * likelihoodWeight(flow()).at({ alpha: 0.5, sigma: 0.5 }); // => 8
 */
export function likelihoodWeight(process: NoiseProcess): LossWeight {
  return defineLossWeight('likelihood', (level) => -2 * process.rates(process.time(lambdaOf(level))).lambda * snrOf(level));
}
