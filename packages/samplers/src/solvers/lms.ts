import { defineSampler, relativeSigma, type Sampler } from '@langevin/core';
import { readOptions } from '@langevin/tensor';
import { checkChoice } from '../check-option.ts';
import { adamsWeights } from '../maths/lagrange.ts';
import { checkLowerOrderFinal, type LowerOrderFinal } from '../maths/multistep.ts';
import { noiseMultistep } from '../maths/noise-steps.ts';

export interface LmsOptions {
  /** Evaluations in the polynomial, 1..4; 1 is Euler's method. @default 4 */
  readonly order?: 1 | 2 | 3 | 4;
  /**
   * When the order falls at the end of a run; `never` keeps it even in a step to a clean level, which there is the prediction itself with
   * any other rule. @default 'never', k-diffusion's; ComfyUI's is 'clean'
   */
  readonly lowerOrderFinal?: LowerOrderFinal | 'never';
}

/**
 * Linear multistep method of k-diffusion: Adams-Bashforth in s = sigma / alpha on the grid as it is, with the polynomial integrated
 * exactly. One evaluation a step.
 *
 * @throws UserError when the order is not 1..4
 * @example
 * lms().order; // => 4
 */
export function lms(options: LmsOptions = {}): Sampler {
  const { order = 4, lowerOrderFinal = 'never' } = readOptions('samplers/lms', options);
  checkChoice('lms', { order }, [1, 2, 3, 4]);
  checkLowerOrderFinal('lms', lowerOrderFinal, ['never']);
  return defineSampler({
    name: 'lms',
    order,
    stochastic: false,
    paper: 'Katherine Crowson, k-diffusion, sample_lms',
    step: (input) => {
      const [from, to] = [relativeSigma(input.from), relativeSigma(input.to)];
      return noiseMultistep(input, {
        order,
        lowerOrderFinal,
        weigh: (used) => adamsWeights({ nodes: used.map(({ at }) => relativeSigma(at)), from, to }),
      });
    },
  });
}
