import { lambdaOf, relativeSigma, type NoiseLevel } from '@langevin/core-schedules';
import { UserError } from '@langevin/tensor';
import { checkAtLeastZero, checkChoice, checkPositive } from '../check-option.ts';
import { flooredSplit } from '../maths/ancestral.ts';
import { blockOf, dpmBlockStep, type DpmBlockOptions } from '../maths/dpm-singlestep.ts';
import { levelInside, type SmoothPrediction } from '../maths/exponential.ts';
import { finiteHistory } from '../maths/multistep.ts';
import { defineSampler, type Sampler } from '../sampler.ts';

export interface DpmFastOptions {
  /** What is taken as smooth in lambda: the noise or the clean sample. @default 'epsilon', the paper's */
  readonly prediction?: SmoothPrediction;
  /**
   * Share of the posterior's noise that the end of each block adds, >= 0; k-diffusion's. Give it to {@link dpmFastLevels} as well.
   * @default 0, the paper's
   */
  readonly eta?: number;
  /** Factor on the noise that is added, > 0. @default 1 */
  readonly sNoise?: number;
}

/**
 * DPM-Solver-fast (Lu et al. 2022, arXiv:2206.00927, section 3.4 and appendix D): single-step methods of orders 3, 3, ..., and in the end 2
 * or 1, so that S steps are S evaluations for any S. Each evaluation is at a level of the grid; on {@link dpmFastLevels} they lie where
 * the paper has them.
 * @example
 * dpmFast().order; // => 3
 */
export function dpmFast(options: DpmFastOptions = {}): Sampler {
  const { prediction = 'epsilon', eta = 0, sNoise = 1 } = options;
  checkChoice('dpm-fast', 'prediction', prediction, ['epsilon', 'x0']);
  checkAtLeastZero('dpm-fast', 'eta', eta);
  checkPositive('dpm-fast', 'sNoise', sNoise);
  const rule: DpmBlockOptions = {
    form: prediction,
    order: 3,
    solverType: 'midpoint',
    weights: 'exact',
    lowerOrderFinal: 'always',
    eta: 0,
    innerSlopes: 'exact',
  };
  return defineSampler({
    name: 'dpm-fast',
    order: eta > 0 ? 2 : 3,
    stochastic: eta > 0,
    paper: 'arXiv:2206.00927, appendix D',
    step: async (input) => {
      const { from, to, levels, algebra, noise } = input;
      const { place, size } = blockOf(input, rule);
      if (eta === 0 || place + 1 < size || from.alpha === 0 || to.sigma === 0) return dpmBlockStep(input, rule);
      const start = finiteHistory(input.state.history).slice(0, place).at(-1)?.at ?? from;
      const { down, up } = flooredSplit({ from: start, to }, eta, relativeSigma(levels.at(-1)!));
      const output = await dpmBlockStep({ ...input, to: down }, rule);
      return up === 0 ? output : { ...output, x: algebra.linear([1, output.x], [sNoise * up, await noise({ from: start, to })]) };
    },
  });
}

export interface DpmFastLevelsOptions {
  /** The first level; some signal is needed. */
  readonly from: NoiseLevel;
  /** The last level; some noise is needed. */
  readonly to: NoiseLevel;
  /** Evaluations of the run, >= 1. */
  readonly evaluations: number;
  /** That of the sampler: blocks that end with noise first go farther down, and their inner levels with them. @default 0 */
  readonly eta?: number;
}

/**
 * The levels of DPM-Solver-fast as in k-diffusion: floor(S / 3) + 1 blocks even in lambda, each divided evenly into as many steps as
 * its order.
 *
 * @returns S + 1 levels in the units of `to`, the first and last as given
 * @throws UserError when an end has no finite lambda or evaluations is no positive integer
 * @example
 * dpmFastLevels({ from: sigmaLevel(16), to: sigmaLevel(1), evaluations: 4 }).map(({ sigma }) => sigma); // => [16, 10.0794, 6.3496, 4, 1]
 */
export function dpmFastLevels({ from, to, evaluations, eta = 0 }: DpmFastLevelsOptions): readonly NoiseLevel[] {
  if (!Number.isSafeInteger(evaluations) || evaluations < 1 || evaluations > 100_000) {
    throw new UserError(
      `[samplers/dpm-fast] evaluations must be an integer in 1..100000: evaluations=${String(evaluations)}. Pass the number of `
        + 'network calls.',
    );
  }
  if (!(Number.isFinite(lambdaOf(from)) && Number.isFinite(lambdaOf(to)))) {
    throw new UserError(
      `[samplers/dpm-fast] both ends need signal and noise: from.alpha=${from.alpha}, to.sigma=${to.sigma}. End at a small sigma, `
        + 'and let the last step to a clean level follow.',
    );
  }
  const whole = Math.floor(evaluations / 3);
  const orders = Array.from({ length: whole }, () => 3);
  if (evaluations % 3 === 0) orders.splice(-1, 1, 2, 1);
  else orders.push(evaluations % 3);
  checkAtLeastZero('dpm-fast', 'eta', eta);
  const inner = orders.flatMap((order, block) => {
    const [start, end] = [block, block + 1].map((place) => levelInside({ from, to }, place / orders.length)) as [NoiseLevel, NoiseLevel];
    const { down } = flooredSplit({ from: start, to: end }, eta, relativeSigma(to));
    return Array.from({ length: order }, (_, i) => levelInside({ from: start, to: down }, i / order));
  });
  return [from, ...inner.slice(1), to];
}
