import { defineSampler, type NoiseLevel, type Sampler, type StepInput } from '@langevin/core';
import { transition, type Transition } from '@langevin/core-schedules';
import { readOptions } from '@langevin/tensor';
import { checkChoice, checkKind } from '../check-option.ts';

const VARIANCES = ['small', 'large', 'learned', 'learned-range'] as const;

export interface DdpmOptions {
  /**
   * Variance of the noise a step adds:
   * - `small`: the posterior's, beta tilde; right when the data are a point
   * - `large`: the forward kernel's, beta; right when the data are unit noise
   * - `learned`: the network's second output is its logarithm, for each element
   * - `learned-range`: the second output v in -1..1 chooses between the logarithms of small (-1) and large (1), for each element
   *   (Nichol and Dhariwal 2021, arXiv:2102.09672, eq. 15)
   * - a function of the level for E[Var(x0 | x)]: with the true one, sampling Gaussian data is exact at any number of steps
   *
   * Upstream's names with `_log` say how a number is computed, not which: they are the same variances.
   *
   * @default 'small', which needs no knowledge and does better with few steps
   */
  readonly variance?: (typeof VARIANCES)[number] | ((at: NoiseLevel) => number);
  /**
   * The Gaussian transition between two levels, for chains whose tables say it more exactly than their levels do.
   * @default transition, which computes it from the levels
   */
  readonly transition?: (from: NoiseLevel, to: NoiseLevel) => Transition;
}

/**
 * Ancestral sampling (Ho et al. 2020, arXiv:2006.11239, Algorithm 2), for any two levels and so for respaced chains: the
 * posterior mean given x0 = D, plus noise; none at a last, clean level. The optimal variance is Bao et al.'s (2022,
 * arXiv:2201.06503, eq. 5).
 *
 * @throws UserError for an unknown variance, and for what is no function where one is wanted
 * @example
 * ddpm().order; // => 1
 */
export function ddpm(options: DdpmOptions = {}): Sampler {
  const { variance = 'small', transition: between = transition } = readOptions('samplers/ddpm', options);
  if (typeof variance !== 'function') checkChoice('ddpm', { variance }, { known: VARIANCES, also: 'or a function of the level' });
  const remedy = 'Pass a function of two levels, or leave it out.';
  checkKind('ddpm', { name: 'transition', value: between, holds: typeof between === 'function', remedy });
  return defineSampler({
    name: 'ddpm',
    order: 1,
    stochastic: true,
    paper: 'arXiv:2006.11239',
    step: async (input) => {
      const { x, from, to, denoise, detail, noise, algebra } = input;
      const learned = variance === 'learned' || variance === 'learned-range';
      const seen = learned ? await detail('variance', x, from) : { denoised: await denoise(x, from), variance: undefined };
      const { denoised } = seen;
      const move = between(from, to);
      const mean = [
        [move.xScale, x],
        [move.x0Scale, denoised],
      ] as const;
      if (to.sigma === 0) return { x: algebra.linear(...mean), denoised };
      if (seen.variance !== undefined) {
        const { scale, deviation } = learnedDeviation(variance === 'learned' ? 'logarithm' : 'range', {
          algebra,
          move,
          output: seen.variance,
        });
        return { x: algebra.linear(...mean, [scale, algebra.multiply(deviation, await noise())]), denoised };
      }
      return { x: algebra.linear(...mean, [Math.sqrt(fixedVariance(variance as Fixed, move, from)), await noise()]), denoised };
    },
  });
}

type Fixed = 'small' | 'large' | ((at: NoiseLevel) => number);

function fixedVariance(variance: Fixed, move: Transition, from: NoiseLevel): number {
  if (variance === 'small') return move.posterior;
  return variance === 'large' ? move.added : move.posterior + move.x0Scale ** 2 * variance(from);
}

/** The deviation of each element, as a host factor times a state. */
function learnedDeviation<T>(
  kind: 'logarithm' | 'range',
  { algebra, move, output }: Pick<StepInput<T>, 'algebra'> & { readonly move: Transition; readonly output: T },
): { readonly scale: number; readonly deviation: T } {
  if (kind === 'logarithm') return { scale: 1, deviation: algebra.exp(algebra.linear([1 / 2, output])) };
  // Half of log small + (v + 1) / 2 (log large - log small); what does not depend on v is the factor.
  return {
    scale: (move.posterior * move.added) ** (1 / 4),
    deviation: algebra.exp(algebra.linear([Math.log(move.added / move.posterior) / 4, output])),
  };
}
