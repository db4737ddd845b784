import { type NoiseLevel, relativeSigma } from '@langevin/core';
import { checkNumber } from '@langevin/tensor';
import { isStraight, type NoiseProcess } from '../noise-process.ts';

export interface SigmaRangeOptions {
  /**
   * Least non-zero sigma, > 0: sigma / alpha, or on straight paths (alpha + sigma = 1) sigma itself.
   *
   * @default the process's at span.min; where that is clean, as a flow's is, at a thousandth of its time
   */
  readonly sigmaMin?: number;
  /** Greatest sigma in the same units, > sigmaMin. @default the process's at span.max */
  readonly sigmaMax?: number;
}

/** The sigmas that a rule over sigma covers on a process, and the levels at such sigmas. */
export interface SigmaRange {
  readonly sigmaMin: number;
  readonly sigmaMax: number;
  /** Levels keep their sigma to the last digit: 80 is 80. */
  readonly levels: (sigmas: readonly number[]) => NoiseLevel[];
}

/**
 * Rules over sigma mean sigma / alpha, the noise in EDM units. On straight paths, which begin where that is infinite, users of
 * ComfyUI and diffusers mean the sigma of alpha + sigma = 1, and so do we.
 *
 * @throws UserError where the range is not finite and above 0: a chain of zero terminal signal, say, needs a sigmaMax
 */
export function sigmaRange(where: string, process: NoiseProcess, options: SigmaRangeOptions): SigmaRange {
  const straight = isStraight(process);
  const measure = (t: number): number => {
    const level = process.level(t);
    return straight ? level.sigma : relativeSigma(level);
  };
  const { min, max } = process.span;
  const { sigmaMin = measure(min) || measure(max / 1000), sigmaMax = measure(max) } = options;
  checkNumber(where, { [`sigmaMin (of process ${process.name})`]: sigmaMin }, { above: 0 });
  checkNumber(where, { [`sigmaMax (of process ${process.name})`]: sigmaMax }, { above: sigmaMin, ...(straight && { atMost: 1 }) });
  return { sigmaMin, sigmaMax, levels: straight ? straightLevels : (sigmas) => levelsOfSigmas(process, sigmas) };
}

/** Levels of a process at values of sigma / alpha, which they keep to the last digit: 80 is 80. */
export function levelsOfSigmas(process: NoiseProcess, sigmas: ArrayLike<number>): NoiseLevel[] {
  return Array.from(sigmas, (sigma) => {
    const { alpha } = process.levelOf(-Math.log(sigma));
    return Object.freeze({ alpha, sigma: alpha * sigma });
  });
}

/** How many noisy levels a rule gives that cannot reach a clean floor by itself. */
export function noisyCount(process: NoiseProcess, count: number, { reachesFloor }: { readonly reachesFloor: boolean }): number {
  return reachesFloor && process.sigma(process.span.min) === 0 ? count - 1 : count;
}

function straightLevels(sigmas: readonly number[]): NoiseLevel[] {
  return sigmas.map((sigma) => Object.freeze({ alpha: 1 - sigma, sigma }));
}
