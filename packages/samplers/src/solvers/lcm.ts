import { defineSampler, type Sampler } from '@langevin/core';

/**
 * Sampling of latent consistency models (Luo et al. 2023, arXiv:2310.04378, Algorithm 3; Song et al. 2023, arXiv:2303.01469,
 * Algorithm 1): jump to the prediction, then noise it to the next level, x' = alpha' D + sigma' z. On flows that is
 * (1 - t') D + t' z.
 *
 * D is a consistency function. With an ordinary denoiser, whose mean over all images is blurred, the spread of the data is lost.
 *
 * @example
 * const levels = trailing().levels(discreteVp(), { steps: 4 });
 * const [x, noise] = [Float64Array.of(1), imageNoise({ seed: 0 })];
 * const denoise = defineDenoiser({ nfe: 1, denoise: (x: Float64Array) => x.map(() => 0.5) });
 * await sample({ sampler: lcm(), denoise, x, levels, noise }); // => [0.5]
 */
export function lcm(): Sampler {
  return defineSampler({
    name: 'lcm',
    order: 1,
    stochastic: true,
    paper: 'arXiv:2310.04378, Algorithm 3',
    step: async ({ x, from, to, denoise, noise, algebra }) => {
      const denoised = await denoise(x, from);
      return {
        x: to.sigma === 0 ? algebra.linear([to.alpha, denoised]) : algebra.linear([to.alpha, denoised], [to.sigma, await noise()]),
        denoised,
      };
    },
  });
}
