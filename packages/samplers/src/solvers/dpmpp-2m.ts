import { defineSampler, type Sampler } from '@langevin/core';
import { readOptions } from '@langevin/tensor';
import { checkChoice } from '../check-option.ts';
import { dpmMultistep, SOLVER_TYPES, type SolverType } from '../maths/dpm-multistep.ts';
import { checkLowerOrderFinal, type LowerOrderFinal } from '../maths/multistep.ts';

export interface Dpmpp2mOptions {
  /** `heun` weighs the slope exactly, and is the RES multistep method. @default 'midpoint', the published form */
  readonly solverType?: SolverType;
  /** When the order falls at the end of a run. @default 'few', the paper's advice for fewer than 15 steps */
  readonly lowerOrderFinal?: LowerOrderFinal;
}

/**
 * DPM-Solver++(2M) (Lu et al. 2022, arXiv:2211.01095, Algorithm 2): x' = (sigma' / sigma) x + alpha' (1 - e^-h) (D + (D - D_before) / 2r)
 * in the step h of lambda, of which the step before was r. One evaluation a step.
 *
 * @throws UserError when an option is not among the known ones
 * @example
 * dpmpp2m().order; // => 2
 */
export function dpmpp2m(options: Dpmpp2mOptions = {}): Sampler {
  const { solverType = 'midpoint', lowerOrderFinal = 'few' } = readOptions('samplers/dpmpp-2m', options);
  checkChoice('dpmpp-2m', { solverType }, SOLVER_TYPES);
  checkLowerOrderFinal('dpmpp-2m', lowerOrderFinal);
  return defineSampler({
    name: 'dpmpp-2m',
    order: 2,
    stochastic: false,
    paper: 'arXiv:2211.01095, Algorithm 2',
    step: (input) => dpmMultistep(input, { form: 'x0', order: 2, solverType, weights: 'exact', lowerOrderFinal }),
  });
}
