import type { NoiseLevel } from '@langevin/core';

/** The forward kernel q(x_from | x_to) and the posterior q(x_to | x_from, x0) between two levels of a Markov process. */
export interface Transition {
  /** Variance that the forward process adds from `to` to `from`; beta_t of a chain. */
  readonly added: number;
  /** Variance of the posterior; beta tilde of a chain. */
  readonly posterior: number;
  /** The posterior mean is xScale x + x0Scale x0. */
  readonly xScale: number;
  readonly x0Scale: number;
}

/**
 * Ho et al. 2020 (arXiv:2006.11239, eq. 7) for any two levels: with alpha, sigma at `from` and alpha', sigma' at `to`,
 * added = sigma^2 - (alpha / alpha')^2 sigma'^2. The share of sigma'^2 in it is computed as a ratio, so that nothing cancels
 * when the last level is clean.
 *
 * @example
 * transition(sigmaLevel(2), sigmaLevel(1)).posterior; // => 0.75
 */
export function transition(from: NoiseLevel, to: NoiseLevel): Transition {
  const ratio = from.alpha / to.alpha;
  const kept = (ratio * to.sigma) / from.sigma;
  const lost = (1 - kept) * (1 + kept);
  return {
    added: from.sigma ** 2 * lost,
    posterior: to.sigma ** 2 * lost,
    xScale: (kept * to.sigma) / from.sigma,
    x0Scale: to.alpha * lost,
  };
}
