import { checkNumber } from '../check.ts';
import { relativeSigma, type NoiseLevel } from '../level.ts';
import type { NoiseProcess } from '../noise-process.ts';

export interface SigmaRangeOptions {
  /** Least non-zero sigma / alpha, > 0. @default the process's at span.min */
  readonly sigmaMin?: number;
  /** Greatest sigma / alpha, > sigmaMin. @default the process's at span.max */
  readonly sigmaMax?: number;
}

/** The range of sigma / alpha that a spacing covers on a process; spacings over sigma need it finite and above 0. */
export function sigmaRange(where: string, process: NoiseProcess, options: SigmaRangeOptions): { readonly sigmaMin: number; readonly sigmaMax: number } {
  const { sigmaMin = relativeSigma(process.level(process.span.min)), sigmaMax = relativeSigma(process.level(process.span.max)) } = options;
  checkNumber(where, `sigmaMin (of process ${process.name})`, sigmaMin, { min: 0, openMin: true });
  checkNumber(where, `sigmaMax (of process ${process.name})`, sigmaMax, { min: sigmaMin, openMin: true });
  return { sigmaMin, sigmaMax };
}

/** Levels of a process at values of sigma / alpha, which they keep to the last digit: 80 is 80. */
export function levelsOfSigmas(process: NoiseProcess, sigmas: ArrayLike<number>): NoiseLevel[] {
  return Array.from(sigmas, (sigma) => {
    const { alpha } = process.levelOf(-Math.log(sigma));
    return Object.freeze({ alpha, sigma: alpha * sigma });
  });
}
