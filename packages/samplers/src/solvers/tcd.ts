import { defineSampler, lambdaOf, type NoiseLevel, type Sampler } from '@langevin/core';
import { type NoiseProcess } from '@langevin/core-schedules';
import { checkNumber, readOptions } from '@langevin/tensor';
import { checkMethods } from '../check-option.ts';
import { jumpPast } from '../maths/jump.ts';

export interface TcdOptions {
  /** The paper's gamma, 0..1: how far past the next level a step jumps. 0 is DDIM; 1 jumps to the clean end, as LCM. @default 0.3 */
  readonly eta?: number;
  /**
   * Gives times to levels: a step to time t' jumps to (1 - eta) t', the paper's rule.
   * @default none: the jump goes to (1 - eta) of sigma / alpha
   */
  readonly process?: Pick<NoiseProcess, 'time' | 'level'>;
}

/**
 * Strategic stochastic sampling of trajectory consistency distillation (Zheng et al. 2024, arXiv:2402.19159, Algorithm 4): a DDIM
 * step to a level cleaner than the next, and noise from there back up to the next.
 *
 * @throws UserError when eta is outside 0..1, or the process is none
 * @example
 * tcd({ eta: 0 }).stochastic; // => false
 */
export function tcd(options: TcdOptions = {}): Sampler {
  const { eta = 0.3, process } = readOptions('samplers/tcd', options);
  checkNumber('samplers/tcd', { eta }, { atLeast: 0, atMost: 1, advice: 'Pass 0 for no noise, 0.3 as the paper.' });
  if (process !== undefined)
    checkMethods(
      'tcd',
      { process },
      {
        methods: ['time', 'level'],
        remedy: 'Pass the process on which the network was trained, such as vpLinear().',
      },
    );
  const landingOf = (to: NoiseLevel): NoiseLevel => {
    if (eta === 0 || to.sigma === 0) return to;
    return process === undefined ? { alpha: to.alpha, sigma: (1 - eta) * to.sigma } : process.level((1 - eta) * process.time(lambdaOf(to)));
  };
  return defineSampler({
    name: 'tcd',
    order: 1,
    stochastic: eta > 0,
    paper: 'arXiv:2402.19159, Algorithm 4',
    step: async ({ x, from, to, denoise, noise, algebra }) => {
      const denoised = await denoise(x, from);
      const jump = jumpPast({ from, landing: landingOf(to), to });
      const terms = [
        [jump.x, x],
        [jump.denoised, denoised],
      ] as const;
      return { x: eta > 0 && to.sigma > 0 ? algebra.linear(...terms, [jump.noise, await noise()]) : algebra.linear(...terms), denoised };
    },
  });
}
