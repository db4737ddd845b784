import { defineSampler, type Sampler } from '@langevin/core';
import { checkNumber, readOptions } from '@langevin/tensor';
import { jumpLevel } from '../jump-target.ts';
import { jumpPast } from '../maths/jump.ts';

export interface CtmOptions {
  /** Share of the next level's noise that is fresh, 0..1: 0 is deterministic, 1 is a consistency model's multistep sampling. @default 0 */
  readonly gamma?: number;
}

/**
 * Gamma-sampling of consistency trajectory models (Kim et al. 2023, arXiv:2310.02279, Algorithm 3): jump along the trajectory to
 * sqrt(1 - gamma^2) of the next sigma, then add gamma of it as noise.
 *
 * The jump is G(x, t, s) = (s / t) x + (1 - s / t) g(x, t, s) (eq. 5). The denoiser gives g and finds s in its level (`targetOf`); a
 * denoiser that does not look gives D = g(x, t, t), with which gamma 0 is DDIM.
 *
 * @throws UserError when gamma is outside 0..1
 * @example
 * // A network that jumps to any level is told which one by the level that it is shown.
 * const asked: (number | undefined)[] = [];
 * const denoise = defineDenoiser<Float64Array>({
 *   nfe: 1,
 *   denoise: (x, at) => (asked.push(targetOf(at as NoiseLevel)?.sigma), x.map(() => 0.5)),
 * });
 * await sample({ sampler: ctm({ gamma: 0 }), denoise, x: Float64Array.of(80), levels: [80, 1, 0].map(sigmaLevel) });
 * asked; // => [1, 0]
 */
export function ctm(options: CtmOptions = {}): Sampler {
  const { gamma = 0 } = readOptions('samplers/ctm', options);
  checkNumber('samplers/ctm', { gamma }, { atLeast: 0, atMost: 1, advice: 'Pass 0 for no noise, 1 for the most.' });
  return defineSampler({
    name: 'ctm',
    order: 1,
    stochastic: gamma > 0,
    paper: 'arXiv:2310.02279, Algorithm 3',
    step: async ({ x, from, to, denoise, noise, algebra }) => {
      const landing = { alpha: to.alpha, sigma: Math.sqrt((1 - gamma) * (1 + gamma)) * to.sigma };
      const denoised = await denoise(x, jumpLevel(from, landing));
      const jump = jumpPast({ from, landing, to });
      const terms = [
        [jump.x, x],
        [jump.denoised, denoised],
      ] as const;
      return {
        x: gamma > 0 && to.sigma > 0 ? algebra.linear(...terms, [gamma * to.sigma, await noise()]) : algebra.linear(...terms),
        denoised,
      };
    },
  });
}
