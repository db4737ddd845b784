import type { NoiseLevel } from '@langevin/core';

/**
 * A level together with where the sampler jumps from there. Networks of consistency trajectory models, G(x, t, s), look at the target;
 * any other denoiser sees an ordinary level.
 */
export interface JumpLevel extends NoiseLevel {
  readonly target: NoiseLevel;
}

/**
 * A level that tells the denoiser the target of the jump.
 *
 * @example
 * const at = jumpLevel({ alpha: 1, sigma: 10 }, { alpha: 1, sigma: 2 });
 * [at.sigma, targetOf(at)?.sigma]; // => [10, 2]
 */
export function jumpLevel(from: NoiseLevel, target: NoiseLevel): JumpLevel {
  return { alpha: from.alpha, sigma: from.sigma, target };
}

/**
 * For authors of denoisers: where the sampler jumps, if it said.
 *
 * @example
 * targetOf({ alpha: 1, sigma: 10 }); // => undefined
 */
export function targetOf(at: NoiseLevel): NoiseLevel | undefined {
  return (at as Partial<JumpLevel>).target;
}
