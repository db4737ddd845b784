import { defineSampler, type Sampler } from '@langevin/core';
import { checkNumber, readOptions } from '@langevin/tensor';
import { ancestralSplit } from '../maths/ancestral.ts';
import { firstOrderTerms, levelInside } from '../maths/exponential.ts';

export interface DpmppSdeOptions {
  /** Share of the noise of a step that is new, >= 0; 0 is deterministic. @default 1 */
  readonly eta?: number;
  /** Factor on the noise that is added, > 0. @default 1 */
  readonly sNoise?: number;
  /** Where in the step, in lambda, the second evaluation is made: 0 < r <= 1. @default 0.5 */
  readonly r?: number;
}

/**
 * The stochastic DPM-Solver++ of k-diffusion, after the singlestep methods of Lu et al. 2022 (arXiv:2211.01095): two evaluations a
 * step, each behind an ancestral step of its own from the same state. Without noise it is DPM-Solver++(2S), of second order; with
 * noise of first.
 *
 * @throws UserError when an option is out of range
 * @example
 * dpmppSde().order; // => 1
 */
export function dpmppSde(options: DpmppSdeOptions = {}): Sampler {
  const { eta = 1, sNoise = 1, r = 0.5 } = readOptions('samplers/dpmpp-sde', options);
  checkNumber('samplers/dpmpp-sde', { eta }, { atLeast: 0 });
  checkNumber('samplers/dpmpp-sde', { sNoise }, { above: 0 });
  checkNumber('samplers/dpmpp-sde', { r }, { above: 0, atMost: 1, advice: 'Pass 0.5, or another number with 0 < r <= 1.' });
  return defineSampler({
    name: 'dpmpp-sde',
    order: eta > 0 ? 1 : 2,
    stochastic: eta > 0,
    paper: 'arXiv:2211.01095; k-diffusion',
    step: async ({ x, from, to, denoise, noise, algebra }) => {
      const denoised = await denoise(x, from);
      const { down, up } = ancestralSplit({ from, to }, eta);
      const terms = firstOrderTerms({ from, to: down, x }, denoised);
      // The middle is at no finite lambda when one end is not: a step of first order.
      if (to.sigma === 0) return { x: algebra.linear(...terms), denoised };
      if (from.alpha === 0)
        return { x: eta > 0 ? algebra.linear(...terms, [sNoise * up, await noise()]) : algebra.linear(...terms), denoised };

      const middle = levelInside({ from, to }, r);
      const half = ancestralSplit({ from, to: middle }, eta);
      const towards = firstOrderTerms({ from, to: half.down, x }, denoised);
      const inside =
        eta > 0 ? algebra.linear(...towards, [sNoise * half.up, await noise({ from, to: middle })]) : algebra.linear(...towards);
      const again = await denoise(inside, middle);

      const share = 1 / (2 * r);
      const [own, [weight]] = terms as readonly [(typeof terms)[0], readonly [number, unknown]];
      const moved = [own!, [(1 - share) * weight, denoised], [share * weight, again]] as const;
      return { x: eta > 0 ? algebra.linear(...moved, [sNoise * up, await noise()]) : algebra.linear(...moved), denoised };
    },
  });
}
