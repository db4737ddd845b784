import { defineSampler, relativeSigma, type Sampler } from '@langevin/core';
import { checkNumber, readOptions } from '@langevin/tensor';
import { noiseMultistep } from '../maths/noise-steps.ts';

export interface GradientEstimationOptions {
  /**
   * How far the change of the noise since the step before is carried on, > 0: 1 is DDIM, 1.5 is iPNDM of two evaluations.
   * @default 2, the paper's
   */
  readonly gamma?: number;
}

/**
 * Gradient estimation (Permenter and Yuan 2024, arXiv:2306.04848, Algorithm 2): DDIM's map with the noise gamma e + (1 - gamma) e_before.
 * Of order 1 but for gamma = 1.5; the paper takes it for the errors of networks, not of steps. A step to a clean level takes the latest
 * noise alone. One evaluation a step.
 *
 * @throws UserError when gamma is not a positive number
 * @example
 * gradientEstimation().order; // => 1
 */
export function gradientEstimation(options: GradientEstimationOptions = {}): Sampler {
  const { gamma = 2 } = readOptions('samplers/gradient-estimation', options);
  checkNumber('samplers/gradient-estimation', { gamma }, { above: 0, advice: "Pass a number > 0; the paper's is 2." });
  return defineSampler({
    name: 'gradient-estimation',
    order: gamma === 1.5 ? 2 : 1,
    stochastic: false,
    paper: 'arXiv:2306.04848, Algorithm 2',
    step: (input) => {
      const length = relativeSigma(input.to) - relativeSigma(input.from);
      return noiseMultistep(input, {
        order: input.to.sigma === 0 ? 1 : 2,
        remembersPureNoise: true,
        weigh: () => [gamma * length, (1 - gamma) * length],
      });
    },
  });
}
