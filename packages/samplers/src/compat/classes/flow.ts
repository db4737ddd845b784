import type { Algebra, NoiseLevel } from '@langevin/core-schedules';

/** The level of a rectified flow. */
export const flowLevel = (sigma: number): NoiseLevel => ({ alpha: 1 - sigma, sigma });

/** x0 = x - sigma v with v = epsilon - x0. */
export function flowPrediction<T>(
  algebra: Algebra<T>,
  { x, modelOutput, sigma }: { readonly x: T; readonly modelOutput: T; readonly sigma: number },
): T {
  return algebra.linear([1, x], [-sigma, modelOutput]);
}

/** x0 = alpha x - sigma v; as there, also on levels of a flow, where alpha^2 + sigma^2 is not 1. */
export function plainVelocityPrediction<T>(
  algebra: Algebra<T>,
  { x, modelOutput, at }: { readonly x: T; readonly modelOutput: T; readonly at: NoiseLevel },
): T {
  return algebra.linear([at.alpha, x], [-at.sigma, modelOutput]);
}
