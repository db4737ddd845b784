import { defineSampler, relativeSigma, type Sampler } from '@langevin/core';
import { checkNumber, readOptions } from '@langevin/tensor';

export interface ConsistencyOptions {
  /** Relative noise sigma / alpha of what the consistency function returns, >= 0. @default 0.002, the paper's epsilon */
  readonly sigmaMin?: number;
  /** Factor on the noise that is added, > 0. @default 1 */
  readonly sNoise?: number;
}

/**
 * Multistep sampling of consistency models (Song et al. 2023, arXiv:2303.01469, Algorithm 1): f(x) is an image with noise sigmaMin
 * left, so that noise up to the next level is what is missing: x' = f + sqrt(sigma'^2 - sigmaMin^2) z in units of alpha = 1. With the
 * exact f, every step ends at the exact marginal.
 *
 * @throws UserError when an option is out of range
 * @example
 * const denoise = defineDenoiser({ nfe: 1, denoise: (x: Float64Array) => x.map(() => 0.5) });
 * await sample({
 *   sampler: consistency({ sigmaMin: 0 }),
 *   denoise,
 *   x: Float64Array.of(80),
 *   levels: [80, 1, 0].map(sigmaLevel),
 *   noise: imageNoise({ seed: 0 }),
 * }); // => [0.5]
 */
export function consistency(options: ConsistencyOptions = {}): Sampler {
  const { sigmaMin = 0.002, sNoise = 1 } = readOptions('samplers/consistency', options);
  checkNumber('samplers/consistency', { sigmaMin }, { atLeast: 0, advice: 'Pass the smallest sigma that the network was trained for.' });
  checkNumber('samplers/consistency', { sNoise }, { above: 0 });
  return defineSampler({
    name: 'consistency',
    order: 1,
    stochastic: true,
    paper: 'arXiv:2303.01469, Algorithm 1',
    step: async ({ x, from, to, denoise, noise, algebra }) => {
      const denoised = await denoise(x, from);
      const added = relativeSigma(to) ** 2 - sigmaMin ** 2;
      if (added <= 0) return { x: algebra.linear([to.alpha, denoised]), denoised };
      return { x: algebra.linear([to.alpha, denoised], [to.alpha * sNoise * Math.sqrt(added), await noise()]), denoised };
    },
  });
}
