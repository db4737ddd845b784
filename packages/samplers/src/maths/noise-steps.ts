import { type Evaluation, relativeSigma, type StepInput, type StepOutput, type Term } from '@langevin/core';
import { exponentialTerms, firstOrderTerms, type StepFrom } from './exponential.ts';
import { finalOrder, finiteHistory, remember, type FinalOrderRule } from './multistep.ts';

/**
 * A step of dy / ds = epsilon, in y = x / alpha and s = sigma / alpha: y' = y plus the sum of weight times epsilon of each evaluation.
 * The weights add up to s' - s; with one evaluation this is DDIM's step.
 */
export function noiseTerms<T>(step: StepFrom<T>, evaluations: readonly Evaluation<T>[], weights: readonly number[]): readonly Term<T>[] {
  if (evaluations.length === 1) return firstOrderTerms(step, evaluations[0]!.denoised);
  const s = relativeSigma(step.from);
  return exponentialTerms(step, evaluations, { form: 'epsilon', weights: weights.map((weight) => -weight / s) });
}

/**
 * The same with shares of the whole step, which add up to 1: DDIM's map for a mean of noises, PNDM's transfer (arXiv:2202.09778, eq. 11).
 */
export function transferTerms<T>(step: StepFrom<T>, evaluations: readonly Evaluation<T>[], shares: readonly number[]): readonly Term<T>[] {
  const length = relativeSigma(step.to) - relativeSigma(step.from);
  return noiseTerms(
    step,
    evaluations,
    shares.map((share) => share * length),
  );
}

/**
 * One step of a multistep method in the noise: one evaluation, and weights for it and those before, the latest first. `order` is the
 * most evaluations used. From pure noise it is DDIM's step, and an evaluation made there counts only when `remembersPureNoise`.
 */
export async function noiseMultistep<T>(
  input: StepInput<T>,
  {
    order,
    weigh,
    remembersPureNoise = false,
    lowerOrderFinal = 'never',
  }: {
    readonly order: number;
    readonly lowerOrderFinal?: FinalOrderRule;
    readonly weigh: (evaluations: readonly Evaluation<T>[]) => readonly number[];
    readonly remembersPureNoise?: boolean;
  },
): Promise<StepOutput<T>> {
  const { x, from, denoise, algebra } = input;
  const denoised = await denoise(x, from);
  const now = { at: from, x, denoised };
  const state = remember(input.state, now, order - 1);
  const past = remembersPureNoise ? input.state.history : finiteHistory(input.state.history);
  const used = from.alpha === 0 ? [now] : [now, ...past].slice(0, finalOrder(input, order, lowerOrderFinal));
  return { x: algebra.linear(...noiseTerms(input, used, used.length === 1 ? [] : weigh(used))), denoised, state };
}
