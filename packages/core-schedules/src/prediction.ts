import { type Algebra, checkLevel, type NoiseLevel, type NoiseLevels, perLevel } from '@langevin/core';
import { UserError } from '@langevin/tensor';

/**
 * What a network predicts of x = alpha x0 + sigma epsilon:
 * - `epsilon`: the unit noise
 * - `x0`: the clean sample
 * - `v`: alpha epsilon - sigma x0 (Salimans and Ho 2022, arXiv:2202.00512, appendix D)
 * - `flow`: epsilon - x0, the velocity of the straight path (towards noise, as t grows)
 * - `score`: the gradient of log density, -epsilon / sigma
 */
export type Prediction = 'epsilon' | 'x0' | 'v' | 'flow' | 'score';

/**
 * All predictions, in the order in which they are documented.
 *
 * @example
 * predictions; // => ['epsilon', 'x0', 'v', 'flow', 'score']
 */
export const predictions = ['epsilon', 'x0', 'v', 'flow', 'score'] as const satisfies readonly Prediction[];

/** The converted prediction is `x` times the state plus `prediction` times the given prediction. */
export interface Conversion {
  readonly x: number;
  readonly prediction: number;
}

/** A prediction as a combination of x0 and epsilon; the score is infinite at sigma = 0. */
export function predictionParts(prediction: Prediction, { alpha, sigma }: NoiseLevel): { readonly x0: number; readonly epsilon: number } {
  switch (prediction) {
    case 'epsilon':
      return { x0: 0, epsilon: 1 };
    case 'x0':
      return { x0: 1, epsilon: 0 };
    case 'v':
      return { x0: -sigma, epsilon: alpha };
    case 'flow':
      return { x0: -1, epsilon: 1 };
    case 'score':
      return { x0: 0, epsilon: -1 / sigma };
  }
}

/**
 * The coefficients that turn one prediction into another at a noise level, exact at both ends of time.
 *
 * @throws UserError where the answer is not determined: epsilon or score at alpha = 0 say nothing of x0, and x0 at sigma = 0
 *   says nothing of epsilon. v and flow determine both everywhere.
 * @example
 * predictionConversion({ from: 'epsilon', to: 'x0' }, { alpha: 0.8, sigma: 0.6 }); // => { x: 1.25, prediction: -0.75 }
 */
export function predictionConversion({ from, to }: { readonly from: Prediction; readonly to: Prediction }, level: NoiseLevel): Conversion {
  checkPrediction('from', from);
  checkPrediction('to', to);
  checkLevel('core-schedules/prediction', 'level', level);
  if (from === to) return { x: 0, prediction: 1 };
  const { alpha, sigma } = level;
  // The score is taken as epsilon here and scaled at the end, so that sigma = 0 stays finite.
  const unscaled = (name: Prediction): Prediction => (name === 'score' ? 'epsilon' : name);
  const [p, q] = [predictionParts(unscaled(from), level), predictionParts(unscaled(to), level)];
  // x and the prediction are two equations in (x0, epsilon); q is read off their solution.
  const determinant = alpha * p.epsilon - sigma * p.x0;
  // Score and epsilon are multiples of each other, whatever the level tells of x0.
  const proportional = p.x0 === q.x0 && p.epsilon === q.epsilon;
  if (determinant === 0 && !proportional) {
    const reason = alpha === 0 ? 'alpha = 0, where the state holds no trace of x0' : 'sigma = 0, where the state holds no noise';
    throw new UserError(
      `[core-schedules/prediction] ${from} does not determine ${to} at ${reason}: alpha=${alpha}, sigma=${sigma}. Use v or flow `
        + 'there, or stay off that end of time.',
    );
  }
  const plain = proportional
    ? { x: 0, prediction: 1 }
    : { x: (q.x0 * p.epsilon - q.epsilon * p.x0) / determinant, prediction: (q.epsilon * alpha - q.x0 * sigma) / determinant };
  const given = from === 'score' ? -sigma : 1;
  if (to !== 'score') return { x: plain.x, prediction: given * plain.prediction };
  if (sigma === 0)
    throw new UserError('[core-schedules/prediction] the score is unbounded at sigma = 0: to=score. Stop at a positive sigma.');
  return { x: 0 - plain.x / sigma, prediction: 0 - (given * plain.prediction) / sigma };
}

export interface ConvertOptions<T> {
  readonly algebra: Algebra<T>;
  readonly x: T;
  readonly prediction: T;
  readonly from: Prediction;
  readonly to: Prediction;
  readonly at: NoiseLevels;
}

/**
 * Turns a prediction into another, for the state that it was made of. See {@link predictionConversion}.
 *
 * @example
 * const level = { alpha: 0.6, sigma: 0.8 };
 * const [x, epsilon] = [Float64Array.of(1.4), Float64Array.of(1)];
 * convertPrediction({ algebra: arrayAlgebra(), x, prediction: epsilon, from: 'epsilon', to: 'x0', at: level }); // => [1]
 */
export function convertPrediction<T>({ algebra, x, prediction, from, to, at }: ConvertOptions<T>): T {
  const coefficients = perLevel(at, (level) => predictionConversion({ from, to }, level));
  if (!isList(coefficients)) return algebra.linear([coefficients.x, x], [coefficients.prediction, prediction]);
  return algebra.linear([coefficients.map((c) => c.x), x], [coefficients.map((c) => c.prediction), prediction]);
}

function isList(value: Conversion | readonly Conversion[]): value is readonly Conversion[] {
  return Array.isArray(value);
}

function checkPrediction(name: string, value: unknown): void {
  if (predictions.some((known) => known === value)) return;
  throw new UserError(`[core-schedules/prediction] unknown prediction: ${name}="${String(value)}". Known: ${predictions.join(', ')}.`);
}
