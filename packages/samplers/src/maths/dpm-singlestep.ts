import type { Algebra, Evaluation, StepInput, StepOutput } from '@langevin/core';
import { checkNumber } from '@langevin/tensor';
import { secondOrderAdjust, type CurvatureWeights, type SolverType } from './dpm-multistep.ts';
import { stochasticDeviation, stochasticTerms } from './stochastic-exponential.ts';
import {
  exponentialTerms,
  exponentialWeights,
  firstOrderTerms,
  lambdaStep,
  levelInside,
  positionIn,
  type SmoothPrediction,
  type StepFrom,
} from './exponential.ts';
import { finiteHistory, lowersOrder, remember, type LowerOrderFinal } from './multistep.ts';

export interface DpmSinglestepOptions {
  readonly form: SmoothPrediction;
  readonly order: 1 | 2 | 3;
  readonly solverType: SolverType;
  /** Where inner evaluations lie in the step, as shares of it in lambda: order - 1 of them. */
  readonly inner: readonly number[];
}

interface ReachOptions<T> extends Pick<DpmSinglestepOptions, 'form' | 'solverType'> {
  readonly algebra: Pick<Algebra<T>, 'linear'>;
  /** At an inner point weights are exact; at the end of the step they are those of the solver type. */
  readonly goal: 'inner' | 'end';
}

/** The state to which evaluations, the first of them at the start of the step, lead at its other end. */
export function reach<T>(
  step: StepFrom<T>,
  evaluations: readonly Evaluation<T>[],
  { algebra, form, solverType, goal }: ReachOptions<T>,
): T {
  const [first, ...later] = evaluations;
  if (later.length === 0) return algebra.linear(...firstOrderTerms(step, first!.denoised));
  const h = lambdaStep(step.from, step.to);
  // A third-order midpoint method leaves the first inner evaluation out at the end: its only use was to reach the second.
  const used = later.length === 2 && solverType === 'midpoint' ? [first!, later[1]!] : evaluations;
  const nodes = used.map(({ at }, k) => (k === 0 ? 0 : positionIn(step, at)));
  const published = goal === 'end' && later.length === 1;
  const weights = exponentialWeights({ form, h, nodes, ...(published ? { adjust: secondOrderAdjust(solverType) } : {}) });
  return algebra.linear(...exponentialTerms(step, used, { form, weights }));
}

/**
 * One step of single-step DPM-Solver (Lu et al. 2022, arXiv:2206.00927, Algorithms 1, 2 and 4) or DPM-Solver++ (arXiv:2211.01095, Algorithm
 * 1): as many evaluations as the order, one where an end of the step has no finite lambda.
 */
export async function dpmSinglestep<T>(input: StepInput<T>, options: DpmSinglestepOptions): Promise<StepOutput<T>> {
  const { x, from, to, denoise, algebra } = input;
  const denoised = await denoise(x, from);
  const evaluations: Evaluation<T>[] = [{ at: from, x, denoised }];
  if (from.alpha > 0 && to.sigma > 0) {
    for (const r of options.inner.slice(0, options.order - 1)) {
      const at = levelInside(input, r);
      const state = reach({ from, to: at, x }, evaluations, { ...options, algebra, goal: 'inner' });
      evaluations.push({ at, x: state, denoised: await denoise(state, at) });
    }
  }
  return { x: reach(input, evaluations, { ...options, algebra, goal: 'end' }), denoised };
}

export interface DpmBlockOptions extends Omit<DpmSinglestepOptions, 'inner'> {
  /** Rate of Langevin noise, >= 0. */
  readonly eta: number;
  /** With noise: whether the curvature of a third-order heun step is weighed by its integral, or with the sign that diffusers has. */
  readonly weights: CurvatureWeights;
  /** Whether a last whole block is cut into smaller ones, so that the run ends with a step of first order. */
  readonly lowerOrderFinal: LowerOrderFinal;
  /**
   * How the second step of a block of three weighs its slope: as the solver type has it, or exactly, as inner points of single steps do.
   */
  readonly innerSlopes: 'published' | 'exact';
}

/**
 * One step of the same methods with the levels of the grid as inner points: steps form blocks of `order`, in which the first step
 * is of order 1, the second of order 2 from the start of the block, and so on. One evaluation a step, whatever the order; what is
 * left over at the end is a smaller block.
 */
export async function dpmBlockStep<T>(input: StepInput<T>, options: DpmBlockOptions): Promise<StepOutput<T>> {
  const { x, from, to, denoise } = input;
  const denoised = await denoise(x, from);
  const now = { at: from, x, denoised };
  const state = remember(input.state, now, options.order - 1);
  if (from.alpha === 0 || to.sigma === 0) return { x: input.algebra.linear(...firstOrderTerms(input, denoised)), denoised, state };
  // A run may begin in the middle of a block, or at pure noise, where no block can start: what there is counts.
  const { place, size } = blockOf(input, options);
  const block = [...finiteHistory(input.state.history).slice(0, place).reverse(), now];
  const start = block[0]!;
  const step = { from: start.at, to, x: start.x };
  const goal = options.innerSlopes === 'exact' && place + 1 < size ? 'inner' : 'end';
  if (options.eta === 0) return { x: reach(step, block, { ...options, algebra: input.algebra, goal }), denoised, state };
  // Noise from the start of the block on replaces that of its earlier steps.
  const rule = { form: options.form, rate: options.eta, adjust: noisyAdjust(options) } as const;
  const used = block.length === 3 && options.solverType === 'midpoint' ? [block[0]!, block[2]!] : block;
  const terms = stochasticTerms(block.length === 3 ? rule : { ...rule, adjust: secondOrderAdjust(options.solverType) }, step, used);
  return {
    x: input.algebra.linear(...terms, [stochasticDeviation(rule, step), await input.noise({ from: start.at, to })]),
    denoised,
    state,
  };
}

/** diffusers' weight of the curvature, which does not vanish with the step. */
function noisyAdjust({ weights }: DpmBlockOptions): (moments: readonly number[]) => readonly number[] {
  return (moments) => (weights === 'reference' && moments.length === 3 ? [moments[0]!, moments[1]!, moments[2]! - 2] : moments);
}

/** The number of a step in its block, and of steps in the block. */
export function blockOf<T>(
  { index, levels }: StepInput<T>,
  { order, lowerOrderFinal }: Pick<DpmBlockOptions, 'order' | 'lowerOrderFinal'>,
): { readonly place: number; readonly size: number } {
  const steps = levels.length - 1;
  const place = index % order;
  const begin = index - place;
  const cut = begin + order === steps && order > 1 && lowersOrder(lowerOrderFinal, steps);
  if (cut) return index === steps - 1 ? { place: 0, size: 1 } : { place, size: order - 1 };
  return { place, size: Math.min(order, steps - begin) };
}

/** Throws unless the place of the inner evaluation is in the step. */
export function checkInner(sampler: string, r: unknown): void {
  checkNumber(
    `samplers/${sampler}`,
    { r },
    { above: 0, atMost: 1, advice: 'Pass 0.5 for the middle of the step, or another number with 0 < r <= 1.' },
  );
}
