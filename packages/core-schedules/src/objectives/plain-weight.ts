import { defineLossWeight, type LossWeight } from '../loss-weight.ts';
import type { Preconditioning } from '../preconditioning.ts';

/**
 * 1 / cOut^2: the squared error of the network's own output counts 1 at every level. With predictions of epsilon it is `snrWeight`,
 * of v `snrPlusOneWeight`, of the score the loss of score matching with lambda = 1.
 *
 * @example
 * plainWeight(edmPreconditioning()).at(sigmaLevel(0.5)); // => 8.000
 */
export function plainWeight(preconditioning: Preconditioning): LossWeight {
  return defineLossWeight(`plain ${preconditioning.name}`, (level) => preconditioning.at(level).cOut ** -2);
}
