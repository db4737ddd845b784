import type { NoiseLevel } from '@langevin/core';

/**
 * How much the squared error of the x0-prediction counts at a noise level. Weights of other predictions are stated in these
 * units, so that one weight serves every network: an epsilon loss is `snrWeight`, a v loss `snrPlusOneWeight`. A weight is the same in
 * any units of the state.
 */
export interface LossWeight {
  readonly name: string;
  readonly at: (level: NoiseLevel) => number;
}

/**
 * A frozen weight from its formula.
 *
 * @example
 * defineLossWeight('inverse', ({ sigma }) => 1 / sigma).at(sigmaLevel(4)); // => 0.25
 */
export function defineLossWeight(name: string, at: (level: NoiseLevel) => number): LossWeight {
  return Object.freeze({ name, at });
}
