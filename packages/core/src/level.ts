import { checkNumber, UserError } from '@langevin/tensor';

/**
 * How noisy a state is: x = alpha x0 + sigma epsilon. `sigma = 0` is clean, `alpha = 0` pure noise.
 *
 * Every process shares this one form: variance preserving (alpha^2 + sigma^2 = 1), variance exploding and EDM (alpha = 1),
 * flows (alpha + sigma = 1).
 */
export interface NoiseLevel {
  /** Scale of the clean sample, >= 0. */
  readonly alpha: number;
  /** Standard deviation of the noise, >= 0; not both zero. */
  readonly sigma: number;
}

/** One level for the whole batch, or one for each of its items (first axis). */
export type NoiseLevels = NoiseLevel | readonly NoiseLevel[];

/**
 * Signal without noise.
 *
 * @example
 * CLEAN; // => { alpha: 1, sigma: 0 }
 */
export const CLEAN: NoiseLevel = Object.freeze({ alpha: 1, sigma: 0 });

/**
 * The level of EDM units: alpha = 1, noise of standard deviation `sigma` >= 0.
 *
 * @example
 * sigmaLevel(80); // => { alpha: 1, sigma: 80 }
 */
export function sigmaLevel(sigma: number): NoiseLevel {
  checkNumber('core/level', { sigma }, { atLeast: 0 });
  return Object.freeze({ alpha: 1, sigma });
}

/**
 * sigma / alpha: the noise in EDM units; Infinity for pure noise.
 *
 * @example
 * relativeSigma({ alpha: 0.6, sigma: 0.8 }); // => 1.3333
 */
export function relativeSigma({ alpha, sigma }: NoiseLevel): number {
  return sigma / alpha;
}

/**
 * log(alpha / sigma), half the log signal-to-noise ratio: -Infinity for pure noise, Infinity for a clean sample.
 *
 * @example
 * lambdaOf({ alpha: 1, sigma: 10 }); // => -2.3026
 */
export function lambdaOf({ alpha, sigma }: NoiseLevel): number {
  return Math.log(alpha) - Math.log(sigma);
}

/**
 * Signal-to-noise ratio alpha^2 / sigma^2.
 *
 * @example
 * snrOf({ alpha: 1, sigma: 2 }); // => 0.25
 */
export function snrOf({ alpha, sigma }: NoiseLevel): number {
  return (alpha / sigma) ** 2;
}

/** Throws a UserError unless the value is a level. `name` is how the caller knows it. */
export function checkLevel(where: string, name: string, level: NoiseLevel): void {
  const { alpha, sigma } = level;
  if (Number.isFinite(alpha) && Number.isFinite(sigma) && alpha >= 0 && sigma >= 0 && alpha + sigma > 0) return;
  throw new UserError(
    `[${where}] a noise level has alpha >= 0 and sigma >= 0, not both 0: ${name}={ alpha: ${alpha}, sigma: ${sigma} }. Take levels `
      + 'from a process or a spacing.',
  );
}

/**
 * Applies a function of one level to one level or to each of a list.
 *
 * @example
 * perLevel([sigmaLevel(2), sigmaLevel(1)], ({ sigma }) => sigma ** 2); // => [4, 1]
 */
export function perLevel<R>(at: NoiseLevels, fn: (level: NoiseLevel) => R): R | readonly R[] {
  return isLevelList(at) ? at.map(fn) : fn(at);
}

/**
 * Tells a list of levels (one for each item) from a single one.
 *
 * @example
 * [isLevelList(CLEAN), isLevelList([CLEAN])]; // => [false, true]
 */
export function isLevelList(at: NoiseLevels): at is readonly NoiseLevel[] {
  return Array.isArray(at);
}
