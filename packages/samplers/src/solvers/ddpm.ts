import type { NoiseLevel } from '@langevin/core-schedules';
import { UserError } from '@langevin/tensor';
import { defineSampler, type Sampler } from '../sampler.ts';
import { transition, type Transition } from '../transition.ts';

const VARIANCES = ['small', 'large'] as const;

export interface DdpmOptions {
  /**
   * Variance of the noise a step adds:
   * - `small`: the posterior's, beta tilde; right when the data are a point
   * - `large`: the forward kernel's, beta; right when the data are unit noise
   * - a function of the level for E[Var(x0 | x)]: with the true one, sampling Gaussian data is exact at any number of steps
   *
   * @default 'small', which needs no knowledge and does better with few steps
   */
  readonly variance?: (typeof VARIANCES)[number] | ((at: NoiseLevel) => number);
}

/**
 * Ancestral sampling (Ho et al. 2020, arXiv:2006.11239, Algorithm 2), for any two levels and so for respaced chains: the
 * posterior mean given x0 = D, plus noise; none at a last, clean level. The optimal variance is Bao et al.'s (2022,
 * arXiv:2201.06503, eq. 5).
 */
export function ddpm(options: DdpmOptions = {}): Sampler {
  const { variance = 'small' } = options;
  if (typeof variance !== 'function' && !VARIANCES.includes(variance)) {
    throw new UserError(`[samplers/ddpm] unknown variance: variance="${String(variance)}". Known: ${VARIANCES.join(', ')}, or a function of the level.`);
  }
  const varianceOf = (move: Transition, from: NoiseLevel): number => {
    if (variance === 'small') return move.posterior;
    return variance === 'large' ? move.added : move.posterior + move.x0Scale ** 2 * variance(from);
  };
  return defineSampler({
    name: 'ddpm',
    order: 1,
    stochastic: true,
    paper: 'arXiv:2006.11239',
    step: async ({ x, from, to, denoise, noise, algebra }) => {
      const denoised = await denoise(x, from);
      const move = transition(from, to);
      const mean = [[move.xScale, x], [move.x0Scale, denoised]] as const;
      if (to.sigma === 0) return { x: algebra.linear(...mean), denoised };
      return { x: algebra.linear(...mean, [Math.sqrt(varianceOf(move, from)), await noise()]), denoised };
    },
  });
}
