import { lambdaOf, type NoiseLevel } from '@langevin/core-schedules';
import { UserError } from '@langevin/tensor';
import { checkChoice } from '../check-option.ts';
import { dpmBlockStep } from '../maths/dpm-singlestep.ts';
import { levelInside, type SmoothPrediction } from '../maths/exponential.ts';
import { defineSampler, type Sampler } from '../sampler.ts';

export interface DpmFastOptions {
  /** What is taken as smooth in lambda: the noise or the clean sample. @default 'epsilon', the paper's */
  readonly prediction?: SmoothPrediction;
}

/**
 * DPM-Solver-fast (Lu et al. 2022, arXiv:2206.00927, section 3.4 and appendix D): single-step methods of orders 3, 3, ..., and in the end 2
 * or 1, so that S steps are S evaluations for any S. Each evaluation is at a level of the grid; on {@link dpmFastLevels} they lie where
 * the paper has them.
 */
export function dpmFast(options: DpmFastOptions = {}): Sampler {
  const { prediction = 'epsilon' } = options;
  checkChoice('dpm-fast', 'prediction', prediction, ['epsilon', 'x0']);
  return defineSampler({
    name: 'dpm-fast',
    order: 3,
    stochastic: false,
    paper: 'arXiv:2206.00927, appendix D',
    step: (input) => dpmBlockStep(input, { form: prediction, order: 3, solverType: 'midpoint', weights: 'exact', lowerOrderFinal: 'always', eta: 0, innerSlopes: 'exact' }),
  });
}

export interface DpmFastLevelsOptions {
  /** The first level; some signal is needed. */
  readonly from: NoiseLevel;
  /** The last level; some noise is needed. */
  readonly to: NoiseLevel;
  /** Evaluations of the run, >= 1. */
  readonly evaluations: number;
}

/**
 * The levels of DPM-Solver-fast as in k-diffusion: floor(S / 3) + 1 blocks even in lambda, each divided evenly into as many steps as
 * its order.
 *
 * @returns S + 1 levels in the units of `to`, the first and last as given
 * @throws UserError when an end has no finite lambda or evaluations is no positive integer
 */
export function dpmFastLevels({ from, to, evaluations }: DpmFastLevelsOptions): readonly NoiseLevel[] {
  if (!Number.isSafeInteger(evaluations) || evaluations < 1 || evaluations > 100_000) {
    throw new UserError(`[samplers/dpm-fast] evaluations must be an integer in 1..100000: evaluations=${String(evaluations)}. Pass the number of network calls.`);
  }
  if (!(Number.isFinite(lambdaOf(from)) && Number.isFinite(lambdaOf(to)))) {
    throw new UserError(`[samplers/dpm-fast] both ends need signal and noise: from.alpha=${from.alpha}, to.sigma=${to.sigma}. End at a small sigma, and let the last step to a clean level follow.`);
  }
  const whole = Math.floor(evaluations / 3);
  const orders = Array.from({ length: whole }, () => 3);
  if (evaluations % 3 === 0) orders.splice(-1, 1, 2, 1);
  else orders.push(evaluations % 3);
  const inner = orders.flatMap((order, block) => Array.from({ length: order }, (_, i) => levelInside({ from, to }, (block + i / order) / orders.length)));
  return [from, ...inner.slice(1), to];
}
