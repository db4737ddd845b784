import type { NoiseLevel } from '@langevin/core';
import { transition } from '@langevin/core-schedules';

/** Coefficients of x' = x x + denoised D + noise z. */
export interface StochasticStep {
  readonly x: number;
  readonly denoised: number;
  readonly noise: number;
}

/** How the drift -f of the reverse SDE is taken over a step: f dt = d log alpha, or 1 less the forward kernel's factor. */
export type ReverseForm = 'euler-maruyama' | 'reverse-diffusion';

/** What a step makes of the SDE's coefficients. */
export interface ReverseRates {
  /** -f dt */
  readonly growth: number;
  /** g^2 dt */
  readonly added: number;
}

/**
 * A step of the reverse SDE dx = (f x - g^2 score) dt + g dw with the score (alpha D - x) / sigma^2 of its start (Song et al. 2021,
 * arXiv:2011.13456, eq. 6; the discretisation of appendix E for `reverse-diffusion`). g^2 dt is the variance that the forward process adds
 * over the step, which a level knows and a time would have to be asked for.
 */
export function reverseStep(
  form: ReverseForm,
  { from, to, rates }: { readonly from: NoiseLevel; readonly to: NoiseLevel; readonly rates?: ReverseRates },
): StochasticStep {
  const { added, growth } = rates ?? {
    added: transition(from, to).added,
    growth: form === 'euler-maruyama' ? Math.log(to.alpha / from.alpha) : 1 - from.alpha / to.alpha,
  };
  const share = added / from.sigma ** 2;
  return { x: 1 + growth - share, denoised: share * from.alpha, noise: Math.sqrt(added) };
}

/** Coefficients of x' = x + pull (alpha D - x) + noise z. */
export interface LangevinStep {
  readonly pull: number;
  readonly noise: number;
}

/** An unadjusted Langevin step of size `step` at one level, x + step score + sqrt(2 step) z. */
export function langevinStep(at: NoiseLevel, step: number): LangevinStep {
  return { pull: step / at.sigma ** 2, noise: Math.sqrt(2 * step) };
}
