import { defineSampler, type Sampler } from '@langevin/core';
import { readOptions } from '@langevin/tensor';
import { dpmMultistep } from '../maths/dpm-multistep.ts';
import { checkLowerOrderFinal, type LowerOrderFinal } from '../maths/multistep.ts';

export interface ResMultistepOptions {
  /** When the order falls at the end of a run. @default 'clean', as the paper has no rule for it */
  readonly lowerOrderFinal?: LowerOrderFinal;
}

/**
 * Refined exponential solver, multistep (Zhang et al. 2023, arXiv:2308.02157, section 3): x' = (sigma' / sigma) x + alpha' h (b1 D + b2
 * D_before) with b2 = phi_2(-h) / c2 and b1 = phi_1(-h) - b2, where c2 < 0 is the place of the evaluation before in the step h of lambda.
 * This is DPM-Solver++(2M) with the slope weighed exactly. One evaluation a step.
 *
 * @throws UserError when the option is not among the known ones
 * @example
 * resMultistep().order; // => 2
 */
export function resMultistep(options: ResMultistepOptions = {}): Sampler {
  const { lowerOrderFinal = 'clean' } = readOptions('samplers/res-multistep', options);
  checkLowerOrderFinal('res-multistep', lowerOrderFinal);
  return defineSampler({
    name: 'res-multistep',
    order: 2,
    stochastic: false,
    paper: 'arXiv:2308.02157',
    step: (input) => dpmMultistep(input, { form: 'x0', order: 2, solverType: 'heun', weights: 'exact', lowerOrderFinal }),
  });
}
