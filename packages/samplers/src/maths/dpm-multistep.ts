import type { StepInput, StepOutput } from '@langevin/core';
import { exponentialTerms, exponentialWeights, firstOrderTerms, lambdaStep, positionIn, type SmoothPrediction } from './exponential.ts';
import { finiteHistory, remember, stepOrder, type LowerOrderFinal } from './multistep.ts';

/**
 * How a second-order step weighs the slope of the prediction:
 * - `midpoint`: by half the weight of the prediction itself (Lu et al.'s default)
 * - `heun`: by its exact integral
 */
export type SolverType = 'midpoint' | 'heun';

export const SOLVER_TYPES: readonly SolverType[] = ['midpoint', 'heun'];

/**
 * How a third-order multistep step weighs the curvature of the prediction:
 * - `exact`: by its integral, which makes the order 3
 * - `reference`: by half of that, as the authors' code, k-diffusion and diffusers have it; the order is then 2
 */
export type CurvatureWeights = 'exact' | 'reference';

export const CURVATURE_WEIGHTS: readonly CurvatureWeights[] = ['exact', 'reference'];

export interface DpmMultistepOptions {
  readonly form: SmoothPrediction;
  readonly order: 1 | 2 | 3;
  readonly solverType: SolverType;
  readonly weights: CurvatureWeights;
  readonly lowerOrderFinal: LowerOrderFinal;
}

type Adjust = (moments: readonly number[]) => readonly number[];

/** The published rule of second order replaces the exact first moment. */
export const secondOrderAdjust = (solverType: SolverType): Adjust =>
  solverType === 'heun' ? (moments) => moments : ([whole]) => [whole!, whole! / 2];

const thirdOrderAdjust = (weights: CurvatureWeights): Adjust =>
  weights === 'exact' ? (moments) => moments : ([a, b, c]) => [a!, b!, c! / 2];

/**
 * One step of multistep DPM-Solver (Lu et al. 2022, arXiv:2206.00927, appendix E) or DPM-Solver++ (arXiv:2211.01095, Algorithm 2), one
 * evaluation each.
 */
export async function dpmMultistep<T>(
  input: StepInput<T>,
  { form, order, solverType, weights, lowerOrderFinal }: DpmMultistepOptions,
): Promise<StepOutput<T>> {
  const { x, from, to, denoise, algebra } = input;
  const denoised = await denoise(x, from);
  const now = { at: from, x, denoised };
  const state = remember(input.state, now, order - 1);
  const own = stepOrder(input, order, lowerOrderFinal);
  if (own === 1) return { x: algebra.linear(...firstOrderTerms(input, denoised)), denoised, state };
  const used = [now, ...finiteHistory(input.state.history)].slice(0, own);
  const h = lambdaStep(from, to);
  const nodes = used.map(({ at }, k) => (k === 0 ? 0 : positionIn(input, at)));
  const adjust = own === 2 ? secondOrderAdjust(solverType) : thirdOrderAdjust(weights);
  return {
    x: algebra.linear(...exponentialTerms(input, used, { form, weights: exponentialWeights({ form, h, nodes, adjust }) })),
    denoised,
    state,
  };
}
