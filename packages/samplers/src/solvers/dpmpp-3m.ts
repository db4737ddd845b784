import { defineSampler, type Sampler } from '@langevin/core';
import { readOptions } from '@langevin/tensor';
import { checkChoice } from '../check-option.ts';
import { CURVATURE_WEIGHTS, dpmMultistep, SOLVER_TYPES, type CurvatureWeights, type SolverType } from '../maths/dpm-multistep.ts';
import { checkLowerOrderFinal, type LowerOrderFinal } from '../maths/multistep.ts';

export interface Dpmpp3mOptions {
  /** `reference` is what the authors' code and diffusers do, and of order 2. @default 'exact', of order 3 */
  readonly weights?: CurvatureWeights;
  /** The second-order steps at the start and the end. @default 'midpoint', as published */
  readonly solverType?: SolverType;
  /** When the order falls at the end of a run. @default 'few', the paper's advice for fewer than 15 steps */
  readonly lowerOrderFinal?: LowerOrderFinal;
}

/**
 * DPM-Solver++(3M) (Lu et al. 2022, arXiv:2211.01095): the prediction as a parabola in lambda through the last three evaluations,
 * one evaluation a step. The published code halves the parabola's curvature; the default does not, and equals UniP-3.
 *
 * @throws UserError when an option is not among the known ones
 * @example
 * dpmpp3m().order; // => 3
 */
export function dpmpp3m(options: Dpmpp3mOptions = {}): Sampler {
  const { weights = 'exact', solverType = 'midpoint', lowerOrderFinal = 'few' } = readOptions('samplers/dpmpp-3m', options);
  checkChoice('dpmpp-3m', { weights }, CURVATURE_WEIGHTS);
  checkChoice('dpmpp-3m', { solverType }, SOLVER_TYPES);
  checkLowerOrderFinal('dpmpp-3m', lowerOrderFinal);
  return defineSampler({
    name: 'dpmpp-3m',
    order: weights === 'exact' ? 3 : 2,
    stochastic: false,
    paper: 'arXiv:2211.01095',
    step: (input) => dpmMultistep(input, { form: 'x0', order: 3, solverType, weights, lowerOrderFinal }),
  });
}
