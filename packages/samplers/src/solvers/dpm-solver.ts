import { defineSampler, type Sampler } from '@langevin/core';
import { checkNumber, readOptions, UserError } from '@langevin/tensor';
import { checkChoice } from '../check-option.ts';
import { CURVATURE_WEIGHTS, dpmMultistep, SOLVER_TYPES, type CurvatureWeights, type SolverType } from '../maths/dpm-multistep.ts';
import { dpmBlockStep, dpmSinglestep } from '../maths/dpm-singlestep.ts';
import type { SmoothPrediction } from '../maths/exponential.ts';
import { checkLowerOrderFinal, type LowerOrderFinal } from '../maths/multistep.ts';

const FORMS = ['singlestep', 'multistep', 'blocks'] as const;

export interface DpmSolverOptions {
  /** @default 2 */
  readonly order?: 1 | 2 | 3;
  /**
   * Where the evaluations of a step lie:
   * - `singlestep`: inside it, at even shares in lambda; as many as the order
   * - `multistep`: at the levels before it; one a step
   * - `blocks`: single-step methods whose inner points are levels of the grid, as diffusers' DPMSolverSinglestepScheduler has
   *   them; one a step
   *
   * @default 'singlestep', the paper's
   */
  readonly form?: (typeof FORMS)[number];
  /**
   * What is taken as smooth in lambda: the noise (DPM-Solver) or the clean sample (DPM-Solver++), which stands guidance better.
   * @default 'epsilon'
   */
  readonly prediction?: SmoothPrediction;
  /** @default 'midpoint', as published; single-step order 3 then leaves the first inner evaluation out at the end */
  readonly solverType?: SolverType;
  /**
   * Of third-order multistep, and of third-order blocks with noise, whose `reference` is diffusers' weight with a slip of sign.
   * @default 'exact'
   */
  readonly weights?: CurvatureWeights;
  /** When the order of multistep and blocks falls at the end of a run. @default 'few', the paper's advice for fewer than 15 steps */
  readonly lowerOrderFinal?: LowerOrderFinal;
  /** Of blocks: rate of Langevin noise, >= 0; 0 is the probability-flow ODE, 1 the reverse SDE. @default 0 */
  readonly eta?: number;
}

const INNER = { 1: [], 2: [1 / 2], 3: [1 / 3, 2 / 3] } as const;

/**
 * DPM-Solver (Lu et al. 2022, arXiv:2206.00927) and DPM-Solver++ (arXiv:2211.01095) of order 1 (which is DDIM), 2 and 3: exponential
 * integrators in lambda = log(alpha / sigma).
 *
 * @throws UserError when an option is not among the known ones
 * @example
 * dpmSolver().order; // => 2
 */
export function dpmSolver(options: DpmSolverOptions = {}): Sampler {
  const {
    order = 2,
    form = 'singlestep',
    prediction = 'epsilon',
    solverType = 'midpoint',
    weights = 'exact',
    lowerOrderFinal = 'few',
    eta = 0,
  } = readOptions('samplers/dpm-solver', options);
  checkChoice('dpm-solver', { order }, [1, 2, 3]);
  checkChoice('dpm-solver', { form }, FORMS);
  checkChoice('dpm-solver', { prediction }, ['epsilon', 'x0']);
  checkChoice('dpm-solver', { solverType }, SOLVER_TYPES);
  checkChoice('dpm-solver', { weights }, CURVATURE_WEIGHTS);
  checkLowerOrderFinal('dpm-solver', lowerOrderFinal);
  checkNumber('samplers/dpm-solver', { eta }, { atLeast: 0 });
  if (eta > 0 && form !== 'blocks')
    throw new UserError(
      `[samplers/dpm-solver] noise belongs to blocks: eta=${eta}, form="${form}". Take form: 'blocks', dpmppSde() or dpmpp2mSde().`,
    );
  return defineSampler({
    name: 'dpm-solver',
    order: eta > 0 ? 1 : form === 'multistep' && order === 3 && weights === 'reference' ? 2 : order,
    stochastic: eta > 0,
    paper: prediction === 'x0' ? 'arXiv:2211.01095' : 'arXiv:2206.00927',
    step: (input) => {
      if (form === 'multistep') return dpmMultistep(input, { form: prediction, order, solverType, weights, lowerOrderFinal });
      if (form === 'singlestep') return dpmSinglestep(input, { form: prediction, order, solverType, inner: INNER[order] });
      return dpmBlockStep(input, { form: prediction, order, solverType, weights, lowerOrderFinal, eta, innerSlopes: 'published' });
    },
  });
}
