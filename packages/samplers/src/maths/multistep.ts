import type { Evaluation, SamplerState, StepInput } from '@langevin/core';
import { UserError } from '@langevin/tensor';
import { checkChoice } from '../check-option.ts';

/**
 * When a multistep method falls back to lower orders at the end of a run; the step to a clean level is of first order anyway,
 * as lambda is infinite there:
 * - `clean`: only there
 * - `last`: on the last step, clean or not (diffusers' `euler_at_final`)
 * - `few`: on the last steps of runs of fewer than 15 (Lu et al. 2022, arXiv:2211.01095; diffusers' `lower_order_final`)
 * - `always`: on the last steps of every run (UniPC in diffusers)
 *
 * The default is `few` where the paper or its code lowers orders, DPM-Solver, DPM-Solver++ and UniPC, so that longer runs keep their order;
 * it is `clean` where it does not.
 */
export type LowerOrderFinal = 'clean' | 'last' | 'few' | 'always';

/**
 * Rules of single methods besides: `never`, not even at a clean end, for methods that have an order there; `early`, as `always` counted
 * without the step to a clean level, and not at all where a run ends with noise (ComfyUI's SA-Solver).
 */
export type FinalOrderRule = LowerOrderFinal | 'never' | 'early';

const LOWER_ORDER_FINAL: readonly LowerOrderFinal[] = ['clean', 'last', 'few', 'always'];

/** Runs of fewer steps count as few. */
const FEW = 15;

/** Earlier evaluations that a method in lambda can use: those with some signal. A history at pure noise has weight zero. */
export function finiteHistory<T>(history: readonly Evaluation<T>[]): readonly Evaluation<T>[] {
  return history.filter(({ at }) => at.alpha > 0);
}

/** The order that this step can have: limited by history, by the ends of time, and by the rule for the last steps. */
export function stepOrder<T>(
  { from, to, index, levels, state }: Pick<StepInput<T>, 'from' | 'to' | 'index' | 'levels' | 'state'>,
  order: number,
  rule: FinalOrderRule,
): number {
  if (from.alpha === 0 || to.sigma === 0) return 1;
  // A step of no length, as diffusers' grids may end with, leads nowhere in any order.
  if (from.sigma * to.alpha === to.sigma * from.alpha) return 1;
  return Math.min(finalOrder({ to, index, levels }, order, rule), finiteHistory(state.history).length + 1);
}

/** The order that the rule for the last steps leaves to this one. */
export function finalOrder(
  { to, index, levels }: Pick<StepInput<unknown>, 'to' | 'index' | 'levels'>,
  order: number,
  rule: FinalOrderRule,
): number {
  if (rule === 'never') return order;
  if (to.sigma === 0) return 1;
  const steps = levels.length - 1;
  const remaining = steps - index;
  if (rule === 'early') return levels.at(-1)!.sigma === 0 ? Math.min(order, remaining - 1) : order;
  return lowersOrder(rule, steps) && (rule !== 'last' || remaining === 1) ? Math.min(order, remaining) : order;
}

/** Whether a run of so many steps ends with lower orders under the rule. */
export function lowersOrder(rule: LowerOrderFinal, steps: number): boolean {
  return rule === 'always' || rule === 'last' || (rule === 'few' && steps < FEW);
}

/**
 * The state with one more evaluation, the latest first, and as many as `keep` in all.
 *
 * @example
 * const [x, denoised] = [Float64Array.of(2), Float64Array.of(1)];
 * remember(emptyState<Float64Array>(), { at: { alpha: 1, sigma: 1 }, x, denoised }, 3).history.length; // => 1
 */
export function remember<T>(state: SamplerState<T>, evaluation: Evaluation<T>, keep: number): SamplerState<T> {
  return { ...state, history: [evaluation, ...state.history].slice(0, keep) };
}

/** Throws unless the rule is a known one, or one of `more`. */
export function checkLowerOrderFinal(sampler: string, value: unknown, more: readonly FinalOrderRule[] = []): void {
  checkChoice(sampler, { lowerOrderFinal: value }, [...LOWER_ORDER_FINAL, ...more]);
}

/** Throws from a step that would begin where sigma / alpha is infinite. */
export function refusePureNoise(sampler: string, from: { readonly alpha: number }): void {
  if (from.alpha > 0) return;
  throw new UserError(
    `[samplers/${sampler}] the method integrates over sigma / alpha, which is infinite at alpha = 0: from.alpha=0. Start at a `
      + 'level with some signal, or use euler() or ddim().',
  );
}
