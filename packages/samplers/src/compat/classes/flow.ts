import type { Algebra, NoiseLevel } from '@langevin/core-schedules';

/** The level of a rectified flow. */
export const flowLevel = (sigma: number): NoiseLevel => ({ alpha: 1 - sigma, sigma });

/** x0 = x - sigma v with v = epsilon - x0. */
export function flowPrediction<T>(algebra: Algebra<T>, { x, modelOutput, sigma }: { readonly x: T; readonly modelOutput: T; readonly sigma: number }): T {
  return algebra.linear([1, x], [-sigma, modelOutput]);
}
