import { defineLossWeight, type LossWeight } from '../loss-weight.ts';

/**
 * 1: the plain x0 loss.
 *
 * @example
 * uniformWeight().at(sigmaLevel(3)); // => 1
 */
export function uniformWeight(): LossWeight {
  return defineLossWeight('uniform', () => 1);
}
