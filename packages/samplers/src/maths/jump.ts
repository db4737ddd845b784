import type { NoiseLevel } from '@langevin/core';
import { transition } from '@langevin/core-schedules';

/** Coefficients of x' = x x + denoised D + noise z. */
export interface Jump {
  readonly x: number;
  readonly denoised: number;
  /** 0 when the jump lands at the level itself. */
  readonly noise: number;
}

/**
 * A jump along the DDIM map past the next level, to the cleaner `landing`, and noise from there back up to `to`: the form that TCD
 * and CTM share. The scale of `landing` does not matter, only its signal-to-noise ratio.
 */
export function jumpPast({
  from,
  landing,
  to,
}: {
  readonly from: NoiseLevel;
  readonly landing: NoiseLevel;
  readonly to: NoiseLevel;
}): Jump {
  const scale = to.alpha / landing.alpha;
  const x = (scale * landing.sigma) / from.sigma;
  return { x, denoised: to.alpha - x * from.alpha, noise: Math.sqrt(Math.max(0, transition(to, landing).added)) };
}
