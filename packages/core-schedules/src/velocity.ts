import type { NoiseLevel } from '@langevin/core';
import { UserError } from '@langevin/tensor';
import type { NoiseProcess, ProcessRates } from './noise-process.ts';
import type { Conversion } from './prediction.ts';

const WHERE = 'core-schedules/velocity';

/**
 * The velocity of a process, u = alpha' x0 + sigma' epsilon, from the x0-prediction: the right side of the probability-flow ODE by t.
 * On the straight path it is the `flow` prediction, on a trigonometric one `v` times the angular speed.
 *
 * @throws UserError at sigma = 0, where x0 says nothing of epsilon, and where a derivative is infinite
 * @example
 * velocityFromX0(flow(), 0.5); // => { x: 2, prediction: -2 }
 */
export function velocityFromX0(process: NoiseProcess, t: number): Conversion {
  const { level, rates } = at(process, t);
  if (level.sigma === 0)
    throw new UserError(
      `[${WHERE}] x0 does not determine the velocity at sigma = 0: process=${process.name}, t=${t}. Stop at a positive sigma.`,
    );
  const growth = rates.sigma / level.sigma;
  return { x: growth, prediction: rates.alpha - growth * level.alpha };
}

/**
 * The x0-prediction from the velocity, at both ends of time.
 *
 * @throws UserError where a derivative is infinite, as sigma' of vp-linear is at t = 0
 * @example
 * x0FromVelocity(flow(), 0.25); // => { x: 1, prediction: -0.25 }
 */
export function x0FromVelocity(process: NoiseProcess, t: number): Conversion {
  const { level, rates } = at(process, t);
  const determinant = level.alpha * rates.sigma - level.sigma * rates.alpha;
  return { x: rates.sigma / determinant, prediction: 0 - level.sigma / determinant };
}

function at(process: NoiseProcess, t: number): { readonly level: NoiseLevel; readonly rates: ProcessRates } {
  const rates = process.rates(t);
  if (Number.isFinite(rates.alpha) && Number.isFinite(rates.sigma)) return { level: process.level(t), rates };
  throw new UserError(`[${WHERE}] the velocity is infinite: process=${process.name}, t=${t}. Stay off that end of time.`);
}
