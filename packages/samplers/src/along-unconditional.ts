import { defineSampler, type Sampler } from './sampler.ts';

/**
 * CFG++ (Chung et al. 2024, arXiv:2406.08070, eq. 10) for any sampler: the step leads to the guided prediction D and renoises along the
 * unconditional one, U. That is the sampler's own step from x + alpha (D - U), whose noise is that of x under U: its first evaluation
 * is the one made at x; further ones, inside the step, are plain. With U = D it is the sampler itself.
 */
export function alongUnconditional(base: Sampler, name: string): Sampler {
  return defineSampler({
    name,
    order: base.order,
    stochastic: base.stochastic,
    paper: 'arXiv:2406.08070',
    init: base.init,
    step: async (input) => {
      const { x, from, denoise, detail, algebra } = input;
      const { denoised, unconditional } = await detail('unconditional', x, from);
      // The difference first: where it is zero, x stays what it is to the last bit.
      const moved = algebra.linear([from.alpha, denoised], [-from.alpha, unconditional], [1, x]);
      return base.step({ ...input, x: moved, denoise: (state, at) => (state === moved ? Promise.resolve(denoised) : denoise(state, at)) });
    },
  });
}
