import type { Evaluation, NoiseLevel, Term } from '@langevin/core';
import { exponentialTerms, exponentialWeights, lambdaStep, positionIn, type SmoothPrediction, type StepFrom } from './exponential.ts';

/**
 * A step of the family of SDEs that share the marginals of the probability-flow ODE (arXiv:2309.05019, eq. 5), where `rate` is the
 * share of Langevin noise: 0 the ODE, 1 the reverse SDE of the forward process. In lambda, for rates constant over the step,
 * - `x0`: x' = (sigma' / sigma) e^(-rate h) x + alpha' integral of (1 + rate) h e^(-(1 + rate)(1 - theta) h) x0(theta) + sigma' sqrt(1 -
 *   e^(-2 rate h)) z
 * - `epsilon`: x' = (alpha' / alpha) x - (1 + rate) sigma' integral of h e^((1 - theta) h) epsilon(theta) + sigma' sqrt(rate (e^(2 h) - 1))
 *   z
 */
export interface StochasticStep {
  readonly form: SmoothPrediction;
  readonly rate: number;
  /** As in exponentialWeights: how published methods differ from exact integrals. */
  readonly adjust?: (moments: readonly number[]) => readonly number[];
}

/**
 * The deterministic part as terms, from evaluations at any levels of which the first may be the step's start. `from` has alpha > 0 unless
 * it is the only evaluation.
 */
export function stochasticTerms<T>(
  { form, rate, adjust = (moments) => moments }: StochasticStep,
  step: StepFrom<T>,
  evaluations: readonly Evaluation<T>[],
): readonly Term<T>[] {
  const h = lambdaStep(step.from, step.to);
  const nodes = evaluations.map(({ at }) => (at === step.from ? 0 : positionIn(step, at)));
  if (form === 'epsilon') {
    const weights = exponentialWeights({ form, h, nodes, adjust }).map((weight) => (1 + rate) * weight);
    return exponentialTerms(step, evaluations, { form, weights });
  }
  const weights = exponentialWeights({ form, h: (1 + rate) * h, nodes, adjust });
  const [, ...rest] = exponentialTerms(step, evaluations, { form, weights });
  return [[stochasticGain({ form, rate }, step), step.x], ...rest];
}

/** What remains of a state, and of the noise in it, after a step: (sigma' / sigma) e^(-rate h), or alpha' / alpha. */
export function stochasticGain(
  { form, rate }: Pick<StochasticStep, 'form' | 'rate'>,
  { from, to }: { readonly from: NoiseLevel; readonly to: NoiseLevel },
): number {
  if (form === 'epsilon') return to.alpha / from.alpha;
  // e^-h, which is 0 from pure noise or to a clean end.
  const kept = (to.sigma * from.alpha) / (to.alpha * from.sigma);
  return (to.sigma / from.sigma) * kept ** rate;
}

/** Deviation of the noise that a step adds. */
export function stochasticDeviation(
  { form, rate }: Pick<StochasticStep, 'form' | 'rate'>,
  { from, to }: { readonly from: NoiseLevel; readonly to: NoiseLevel },
): number {
  const h = lambdaStep(from, to);
  if (form === 'x0') return rate === 0 ? 0 : to.sigma * Math.sqrt(-Math.expm1(-2 * rate * h));
  return to.sigma * Math.sqrt(rate * Math.expm1(2 * h));
}
