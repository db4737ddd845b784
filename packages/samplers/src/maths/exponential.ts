import { type Evaluation, lambdaOf, type NoiseLevel, type Term } from '@langevin/core';
import { nodeWeights } from './lagrange.ts';
import { dampedPhi, phi } from './phi.ts';

/**
 * Which prediction a method takes as smooth in lambda: the clean sample (DPM-Solver++) or the noise (DPM-Solver).
 *
 * In units of alpha = 1, with y = x / alpha and s = sigma / alpha, the exact solution over a step h of lambda is
 * - `x0`: y' = e^-h y + integral over theta in 0..1 of h e^(-(1 - theta) h) x0(theta)
 * - `epsilon`: y' = y - s times the integral over theta in 0..1 of h e^(-theta h) epsilon(theta)
 */
export type SmoothPrediction = 'x0' | 'epsilon';

/** Integrals of theta^j, j = 0..count-1, against the kernel of the form over a step h of lambda. Negative h is a step towards noise. */
export function kernelMoments(form: SmoothPrediction, h: number, count: number): readonly number[] {
  let factorial = 1;
  return Array.from({ length: count }, (_, j) => {
    if (j > 0) factorial *= j;
    if (j === 0) return -Math.expm1(-h);
    return h * factorial * (form === 'x0' ? phi(j + 1, -h) : dampedPhi(j + 1, h));
  });
}

/**
 * Weights of a step through predictions at `nodes`, in units of the step (0 is its start, 1 its end, history is negative): exact
 * for predictions polynomial in lambda. `adjust` may replace moments, which is how published methods differ from exact ones.
 */
export function exponentialWeights({
  form,
  h,
  nodes,
  adjust = (moments) => moments,
}: {
  readonly form: SmoothPrediction;
  readonly h: number;
  readonly nodes: readonly number[];
  readonly adjust?: (moments: readonly number[]) => readonly number[];
}): readonly number[] {
  return nodeWeights(nodes, adjust(kernelMoments(form, h, nodes.length)));
}

/** Where a level lies in a step from `from` to `to`: 0 at its start, 1 at its end. */
export function positionIn({ from, to }: { readonly from: NoiseLevel; readonly to: NoiseLevel }, at: NoiseLevel): number {
  return (lambdaOf(at) - lambdaOf(from)) / (lambdaOf(to) - lambdaOf(from));
}

/** The step of lambda between two levels; Infinity from pure noise or to a clean end. */
export function lambdaStep(from: NoiseLevel, to: NoiseLevel): number {
  return lambdaOf(to) - lambdaOf(from);
}

/** The level a share `r` of the way in lambda, in the units of `to`. Both ends must be finite. */
export function levelInside({ from, to }: { readonly from: NoiseLevel; readonly to: NoiseLevel }, r: number): NoiseLevel {
  return { alpha: to.alpha, sigma: to.alpha * Math.exp(-lambdaOf(from) - r * lambdaStep(from, to)) };
}

export interface StepFrom<T> {
  readonly from: NoiseLevel;
  readonly to: NoiseLevel;
  /** The state at `from`. */
  readonly x: T;
}

/**
 * DDIM's step, which every method has as its first order: x' = alpha' x0 + sigma' epsilon. Finite from pure noise, to a clean end, and
 * towards noise.
 *
 * @example
 * const step = { from: { alpha: 1, sigma: 2 }, to: { alpha: 1, sigma: 1 }, x: Float64Array.of(3) };
 * arrayAlgebra().linear(...firstOrderTerms(step, Float64Array.of(1))); // => [2]
 */
export function firstOrderTerms<T>({ from, to, x }: StepFrom<T>, denoised: T): readonly Term<T>[] {
  const ratio = to.sigma / from.sigma;
  return [
    [ratio, x],
    [to.alpha - from.alpha * ratio, denoised],
  ];
}

/** A step as terms, from evaluations and the weights of {@link exponentialWeights}. `from` has alpha > 0, `to` may be clean. */
export function exponentialTerms<T>(
  { from, to, x }: StepFrom<T>,
  evaluations: readonly Evaluation<T>[],
  { form, weights }: { readonly form: SmoothPrediction; readonly weights: readonly number[] },
): readonly Term<T>[] {
  if (form === 'x0')
    return [[to.sigma / from.sigma, x], ...evaluations.map(({ denoised }, k): Term<T> => [to.alpha * weights[k]!, denoised])];
  // epsilon = (x - alpha D) / sigma of each evaluation; the state itself is collected with that of the evaluation made of it.
  const scale = (to.alpha * from.sigma) / from.alpha;
  let own = to.alpha / from.alpha;
  const terms: Term<T>[] = [];
  evaluations.forEach((evaluation, k) => {
    const { alpha, sigma } = evaluation.at;
    const weight = (scale * weights[k]!) / sigma;
    if (evaluation.x === x) own -= weight;
    else terms.push([-weight, evaluation.x]);
    terms.push([weight * alpha, evaluation.denoised]);
  });
  return [[own, x], ...terms];
}
