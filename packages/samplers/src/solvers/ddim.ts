import { defineSampler, type Sampler } from '@langevin/core';
import { transition } from '@langevin/core-schedules';
import { checkNumber, readOptions } from '@langevin/tensor';
import { checkChoice } from '../check-option.ts';

const DIRECTIONS = ['denoised', 'unconditional'] as const;

export interface DdimOptions {
  /** Share of the ancestral noise, 0..1: 0 is deterministic, 1 is DDPM with the posterior variance. @default 0 */
  readonly eta?: number;
  /**
   * Along which prediction the noise is taken: the `denoised` one, or the `unconditional` one of guided denoisers, which is CFG++ (Chung et
   * al. 2024, arXiv:2406.08070, Algorithm 2).
   *
   * @default 'denoised'
   */
  readonly direction?: (typeof DIRECTIONS)[number];
}

/**
 * Denoising diffusion implicit models (Song et al. 2021, arXiv:2010.02502, eq. 12):
 * x' = alpha' D + sqrt(sigma'^2 - d^2) epsilon + d z with d = eta sqrt(beta tilde) (eq. 16).
 *
 * @throws UserError when eta is outside 0..1
 * @example
 * ddim().order; // => 1
 */
export function ddim(options: DdimOptions = {}): Sampler {
  const { eta = 0, direction: along = 'denoised' } = readOptions('samplers/ddim', options);
  checkNumber('samplers/ddim', { eta }, { atLeast: 0, atMost: 1, advice: 'Pass 0 for the deterministic sampler, 1 for DDPM.' });
  checkChoice('ddim', { direction: along }, DIRECTIONS);
  return defineSampler({
    name: 'ddim',
    order: 1,
    stochastic: eta > 0,
    paper: 'arXiv:2010.02502',
    step: async ({ x, from, to, denoise, detail, noise, algebra }) => {
      const evaluated = along === 'denoised' ? undefined : await detail('unconditional', x, from);
      const denoised = evaluated?.denoised ?? (await denoise(x, from));
      // Towards more noise, as in inversion, there is no posterior.
      const deviation = eta === 0 ? 0 : eta * Math.sqrt(transition(from, to).posterior);
      // epsilon = (x - alpha D) / sigma
      const direction = Math.sqrt(to.sigma ** 2 - deviation ** 2) / from.sigma;
      const kept = [direction, x] as const;
      const predicted =
        evaluated === undefined
          ? [[to.alpha - direction * from.alpha, denoised] as const]
          : [[to.alpha, denoised] as const, [-direction * from.alpha, evaluated.unconditional] as const];
      const added = eta > 0 && to.sigma > 0 ? [[deviation, await noise()] as const] : [];
      return { x: algebra.linear(kept, ...predicted, ...added), denoised };
    },
  });
}
