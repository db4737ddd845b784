import type { Algebra, NoiseLevel } from '@langevin/core';

/** The level of a rectified flow. */
export const flowLevel = (sigma: number): NoiseLevel => ({ alpha: 1 - sigma, sigma });

/** x0 = x - sigma v with v = epsilon - x0. */
export function flowPrediction<T>(
  algebra: Algebra<T>,
  { x, modelOutput, sigma }: { readonly x: T; readonly modelOutput: T; readonly sigma: number },
): T {
  return algebra.linear([1, x], [-sigma, modelOutput]);
}

/**
 * The levels at which Euler's method is x + (sigma' - sigma) v for any two sigmas, 0 included, where a flow's own level does not tell v:
 * alpha is 1, and sigma counts from 1. The solver is told {@link velocityAnswer}.
 */
export const steppingLevel = (sigma: number): NoiseLevel => ({ alpha: 1, sigma: 1 + sigma });

/** x0 for the caller, x - sigma v, and for the solver what it would be at {@link steppingLevel}. */
export function velocityAnswer<T>(
  algebra: Algebra<T>,
  { x, modelOutput, sigma }: { readonly x: T; readonly modelOutput: T; readonly sigma: number },
): { readonly denoised: T; readonly shown: T } {
  return {
    denoised: flowPrediction(algebra, { x, modelOutput, sigma: 1 + sigma }),
    shown: flowPrediction(algebra, { x, modelOutput, sigma }),
  };
}

/** x0 = alpha x - sigma v; as there, also on levels of a flow, where alpha^2 + sigma^2 is not 1. */
export function plainVelocityPrediction<T>(
  algebra: Algebra<T>,
  { x, modelOutput, at }: { readonly x: T; readonly modelOutput: T; readonly at: NoiseLevel },
): T {
  return algebra.linear([at.alpha, x], [-at.sigma, modelOutput]);
}
