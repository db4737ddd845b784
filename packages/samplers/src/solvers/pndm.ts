import { defineSampler, type Evaluation, type NoiseLevel, type Sampler, type StepInput } from '@langevin/core';
import { readOptions } from '@langevin/tensor';
import { checkChoice, checkKind } from '../check-option.ts';
import { EVEN_ADAMS } from '../maths/lagrange.ts';
import { finiteHistory, remember } from '../maths/multistep.ts';
import { transferTerms } from '../maths/noise-steps.ts';

const FORMS = ['s', 'f', 'plms'] as const;

export interface PndmOptions {
  /**
   * How the run starts, and how many evaluations are averaged after:
   * - `s`: one improved Euler step, then two (S-PNDM)
   * - `f`: three pseudo Runge-Kutta steps of four evaluations, then four (F-PNDM); runs of fewer than four steps start as `plms`
   * - `plms`: one improved Euler step, then two, three, four (Stable Diffusion's PLMS; diffusers' `skip_prk_steps`)
   *
   * @default 'plms', the cheapest start with the longest mean
   */
  readonly form?: (typeof FORMS)[number];
  /**
   * The level between two levels at which `f` evaluates.
   * @default the one half way in the angle atan(sigma / alpha), finite at both ends; the paper halves time
   */
  readonly middle?: (from: NoiseLevel, to: NoiseLevel) => NoiseLevel;
  /**
   * For steps of the start, the ends of the map after each of its evaluations, the last one the step's own: four for `f`, two otherwise.
   * diffusers' differ from each other where its timesteps are not evenly spaced. @default each from the step's start; `f`'s first two to
   * `middle`
   */
  readonly legs?: (from: NoiseLevel, to: NoiseLevel) => readonly Leg[];
}

/** A map from one level to another. */
interface Leg {
  readonly from: NoiseLevel;
  readonly to: NoiseLevel;
}

/** Steps at the start of `f` that are pseudo Runge-Kutta. */
const WARM_UP = 3;
const RUNGE_KUTTA = [1 / 6, 2 / 6, 2 / 6, 1 / 6];

/**
 * Pseudo numerical methods (Liu et al. 2022, arXiv:2202.09778, Algorithm 2): a mean of noise predictions, weighed as a linear multistep
 * method would on an even grid, goes through DDIM's map. The order is 2 for every form and grid, as the weights know nothing of the map.
 *
 * `f` takes nine evaluations more than steps, the others one; a step to a clean level and one from pure noise take one.
 *
 * @throws UserError when an option is not among the known ones
 * @example
 * pndm().order; // => 2
 */
export function pndm(given: PndmOptions = {}): Sampler {
  const options = readOptions('samplers/pndm', given);
  const ownLegs = (from: NoiseLevel, to: NoiseLevel) =>
    (form === 'f' ? [middle(from, to), middle(from, to), to, to] : [to, to]).map((end) => ({ from, to: end }));
  const { form = 'plms', middle = halfAngle, legs = ownLegs } = options;
  checkChoice('pndm', { form }, FORMS);
  const remedy = 'Pass a function of two levels, or leave it out.';
  for (const [name, value] of Object.entries({ middle, legs }))
    checkKind('pndm', { name, value, holds: typeof value === 'function', remedy });
  const most = form === 's' ? 2 : 4;
  return defineSampler({
    name: 'pndm',
    order: 2,
    stochastic: false,
    paper: 'arXiv:2202.09778, Algorithm 2',
    step: async (input) => {
      const { x, from, to, levels, denoise, algebra } = input;
      const denoised = await denoise(x, from);
      const now = { at: from, x, denoised };
      const state = remember(input.state, now, most - 1);
      const { history } = input.state;
      // Nothing can be evaluated at a clean level, and the map from pure noise takes one evaluation.
      const full = form === 'f' && levels.length - 1 > WARM_UP;
      const starts = from.alpha > 0 && to.sigma > 0 && finiteHistory(history).length < (full ? WARM_UP : 1);
      if (starts)
        return {
          x: await starting(
            input,
            now,
            full
              ? { legs: legs(from, to), shares: RUNGE_KUTTA }
              : { legs: form === 'f' ? [input, input] : legs(from, to), shares: [1 / 2, 1 / 2] },
          ),
          denoised,
          state,
        };
      const used = from.alpha === 0 ? [now] : [now, ...history].slice(0, most);
      return { x: algebra.linear(...transferTerms(input, used, EVEN_ADAMS[used.length - 1]!)), denoised, state };
    },
  });
}

/**
 * A step of several evaluations: each of a state that the latest noise alone leads to from the start of the step, then their mean by
 * shares.
 */
async function starting<T>(
  { x, denoise, algebra }: StepInput<T>,
  now: Evaluation<T>,
  { legs, shares }: { readonly legs: readonly Leg[]; readonly shares: readonly number[] },
): Promise<T> {
  const evaluations = [now];
  for (const leg of legs.slice(0, -1)) {
    const step = { ...leg, x };
    // The map with no share for the first evaluation.
    const state =
      evaluations.length === 1
        ? algebra.linear(...transferTerms(step, [now], [1]))
        : algebra.linear(...transferTerms(step, [now, evaluations.at(-1)!], [0, 1]));
    evaluations.push({ at: leg.to, x: state, denoised: await denoise(state, leg.to) });
  }
  return algebra.linear(...transferTerms({ ...legs.at(-1)!, x }, evaluations, shares));
}

function halfAngle(from: NoiseLevel, to: NoiseLevel): NoiseLevel {
  const angle = (Math.atan2(from.sigma, from.alpha) + Math.atan2(to.sigma, to.alpha)) / 2;
  return { alpha: Math.cos(angle), sigma: Math.sin(angle) };
}
