import { defineSampler, relativeSigma, type Sampler } from '@langevin/core';
import { readOptions } from '@langevin/tensor';
import { checkChoice } from '../check-option.ts';
import { EVEN_ADAMS } from '../maths/lagrange.ts';
import { checkLowerOrderFinal, type LowerOrderFinal } from '../maths/multistep.ts';
import { noiseMultistep } from '../maths/noise-steps.ts';

export interface IpndmOptions {
  /** Evaluations in the mean, 1..4; 1 is DDIM. @default 4 */
  readonly order?: 1 | 2 | 3 | 4;
  /**
   * When the order falls at the end of a run; `never` keeps it even in a step to a clean level, which there is the prediction itself with
   * any other rule. @default 'never', the authors'; ComfyUI's is 'clean'
   */
  readonly lowerOrderFinal?: LowerOrderFinal | 'never';
}

/**
 * PNDM without its Runge-Kutta start (Zhang and Chen 2022, arXiv:2204.13902, appendix): weights of Adams and Bashforth for even steps, on
 * any grid, so that the order is 2 whatever the number of evaluations; the first steps use those that there are. One evaluation a step.
 *
 * @throws UserError when the order is not 1..4
 * @example
 * ipndm().order; // => 2
 */
export function ipndm(options: IpndmOptions = {}): Sampler {
  const { order = 4, lowerOrderFinal = 'never' } = readOptions('samplers/ipndm', options);
  checkChoice('ipndm', { order }, [1, 2, 3, 4]);
  checkLowerOrderFinal('ipndm', lowerOrderFinal, ['never']);
  return defineSampler({
    name: 'ipndm',
    order: Math.min(order, 2),
    stochastic: false,
    paper: 'arXiv:2204.13902',
    step: (input) => {
      const length = relativeSigma(input.to) - relativeSigma(input.from);
      return noiseMultistep(input, {
        order,
        lowerOrderFinal,
        remembersPureNoise: true,
        weigh: (used) => EVEN_ADAMS[used.length - 1]!.map((share) => share * length),
      });
    },
  });
}
