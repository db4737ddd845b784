import { defineSampler, lambdaOf, type NoiseLevel, relativeSigma, type Sampler, type StepInput, type StepOutput } from '@langevin/core';
import { checkNumber, readOptions, UserError } from '@langevin/tensor';
import { checkChoice } from '../check-option.ts';
import { flooredSplit } from '../maths/ancestral.ts';
import { blockOf, dpmBlockStep, reach, type DpmBlockOptions } from '../maths/dpm-singlestep.ts';
import { levelInside, positionIn, type SmoothPrediction } from '../maths/exponential.ts';
import { finiteHistory, remember } from '../maths/multistep.ts';

export interface DpmFastOptions {
  /** What is taken as smooth in lambda: the noise or the clean sample. @default 'epsilon', the paper's */
  readonly prediction?: SmoothPrediction;
  /**
   * Share of the posterior's noise that the end of each block adds, >= 0; k-diffusion's.
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
 *
 * With noise (k-diffusion's eta), a block leads to below its last level, and noise back up to it. The evaluations inside of such a block
 * lie at the same shares of its longer way, so below the levels of the grid; what a step yields is the state at the level of the grid.
 *
 * @throws UserError when an option is out of range
 * @example
 * dpmFast().order; // => 3
 */
export function dpmFast(options: DpmFastOptions = {}): Sampler {
  const { prediction = 'epsilon', eta = 0, sNoise = 1 } = readOptions('samplers/dpm-fast', options);
  checkChoice('dpm-fast', { prediction }, ['epsilon', 'x0']);
  checkNumber('samplers/dpm-fast', { eta }, { atLeast: 0 });
  checkNumber('samplers/dpm-fast', { sNoise }, { above: 0 });
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
    // With little noise 3 is measured; all of it leaves what the last, shorter block has.
    order: eta > 0 ? 2 : 3,
    stochastic: eta > 0,
    paper: 'arXiv:2206.00927, appendix D',
    step: async (input) => {
      const { place, size } = blockOf(input, rule);
      const end = input.levels[input.index - place + size]!;
      // No noise is added where a block ends clean, and none can be split off a step from pure noise.
      if (eta === 0 || end.sigma === 0 || input.from.alpha === 0) return dpmBlockStep(input, rule);
      return noisyBlockStep(input, { rule, eta, sNoise, end, place, size });
    },
  });
}

interface NoisyBlock {
  readonly rule: DpmBlockOptions;
  readonly eta: number;
  readonly sNoise: number;
  /** The level at which the block ends, after its noise. */
  readonly end: NoiseLevel;
  readonly place: number;
  readonly size: number;
}

/** The state on the longer way of a block, between its evaluations; the state of the run is at the level of the grid. */
const INNER = 'inner';

/** A step of a block that goes on to below its end: evaluations move with it. */
async function noisyBlockStep<T>(input: StepInput<T>, { rule, eta, sNoise, end, place, size }: NoisyBlock): Promise<StepOutput<T>> {
  const { from, to, levels, algebra, denoise, noise } = input;
  // A run may begin in the middle of a block: what there is counts.
  const before = finiteHistory(input.state.history).slice(0, place).reverse();
  const start = before[0]?.at ?? from;
  const { down, up } = flooredSplit({ from: start, to: end }, { eta, floor: relativeSigma(levels.at(-1)!) });
  const moved = (level: NoiseLevel): NoiseLevel => levelInside({ from: start, to: down }, positionIn({ from: start, to: end }, level));

  const inner = before.length === 0 ? undefined : input.state.values[INNER];
  const [x, at] = inner === undefined ? [input.x, from] : [inner, moved(from)];
  const denoised = await denoise(x, at);
  const block = [...before, { at, x, denoised }];
  const history = remember(input.state, { at, x, denoised }, rule.order - 1);
  const own = { from: start, x: block[0]!.x };
  const last = place + 1 === size;
  const reached = reach({ ...own, to: last ? down : moved(to) }, block, { ...rule, algebra, goal: last ? 'end' : 'inner' });
  if (!last) {
    const values = { ...history.values, [INNER]: reached };
    return { x: reach({ ...own, to }, block, { ...rule, algebra, goal: 'inner' }), denoised, state: { ...history, values } };
  }
  const { [INNER]: _, ...values } = history.values;
  const state = { ...history, values };
  if (up === 0) return { x: reached, denoised, state };
  return { x: algebra.linear([1, reached], [sNoise * up, await noise({ from: start, to })]), denoised, state };
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
 * @example
 * dpmFastLevels({ from: sigmaLevel(16), to: sigmaLevel(1), evaluations: 4 }).map(({ sigma }) => sigma); // => [16, 10.0794, 6.3496, 4, 1]
 */
export function dpmFastLevels({ from, to, evaluations }: DpmFastLevelsOptions): readonly NoiseLevel[] {
  const advice = 'Pass the number of network calls, an integer in 1..100000.';
  checkNumber('samplers/dpm-fast', { evaluations }, { atLeast: 1, atMost: 100_000, kind: 'integer', advice });
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
  const inner = orders.flatMap((order, block) => {
    const [start, end] = [block, block + 1].map((place) => levelInside({ from, to }, place / orders.length)) as [NoiseLevel, NoiseLevel];
    return Array.from({ length: order }, (_, i) => levelInside({ from: start, to: end }, i / order));
  });
  return [from, ...inner.slice(1), to];
}
