import { defineLossWeight, type LossWeight } from '../loss-weight.ts';

/**
 * 1 / t^2 for the time t = sigma / (alpha + sigma) of the straight path: the plain flow loss. Named as in the training scripts of
 * Stable Diffusion 3, whose loss is that of x0.
 *
 * @example
 * sigmaSqrtWeight().at({ alpha: 0.5, sigma: 0.5 }); // => 4
 */
export function sigmaSqrtWeight(): LossWeight {
  return defineLossWeight('sigma-sqrt', ({ alpha, sigma }) => ((alpha + sigma) / sigma) ** 2);
}
