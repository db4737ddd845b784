import { defineSampler, type Sampler } from '@langevin/core';
import { readOptions } from '@langevin/tensor';
import { checkInner, dpmSinglestep } from '../maths/dpm-singlestep.ts';

export interface Dpmpp2sOptions {
  /** Where in the step the second evaluation is, as a share of it in lambda, in (0, 1]. @default 0.5, the paper's */
  readonly r?: number;
}

/**
 * DPM-Solver++(2S) (Lu et al. 2022, arXiv:2211.01095, Algorithm 1): a second evaluation inside the step tells the slope of the
 * prediction. Two evaluations a step, one when it ends clean.
 *
 * @throws UserError when r is outside (0, 1]
 * @example
 * dpmpp2s().order; // => 2
 */
export function dpmpp2s(options: Dpmpp2sOptions = {}): Sampler {
  const { r = 0.5 } = readOptions('samplers/dpmpp-2s', options);
  checkInner('dpmpp-2s', r);
  return defineSampler({
    name: 'dpmpp-2s',
    order: 2,
    stochastic: false,
    paper: 'arXiv:2211.01095, Algorithm 1',
    step: (input) => dpmSinglestep(input, { form: 'x0', order: 2, solverType: 'midpoint', inner: [r] }),
  });
}
