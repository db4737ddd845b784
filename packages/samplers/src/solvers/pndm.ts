import type { NoiseLevel } from '@langevin/core-schedules';
import { UserError } from '@langevin/tensor';
import { checkChoice } from '../check-option.ts';
import { EVEN_ADAMS } from '../maths/lagrange.ts';
import { finiteHistory, remember } from '../maths/multistep.ts';
import { transferTerms } from '../maths/noise-steps.ts';
import { defineSampler, type Evaluation, type Sampler, type StepInput, type StepOutput } from '../sampler.ts';

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
  /** The level between two levels at which `f` evaluates. @default the one half way in the angle atan(sigma / alpha), finite at both ends; the paper halves time */
  readonly middle?: (from: NoiseLevel, to: NoiseLevel) => NoiseLevel;
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
 */
export function pndm(options: PndmOptions = {}): Sampler {
  const { form = 'plms', middle = halfAngle } = options;
  checkChoice('pndm', 'form', form, FORMS);
  if (typeof middle !== 'function') throw new UserError(`[samplers/pndm] middle must be a function of two levels: middle=${String(middle)}. Leave it out for the middle of the angle.`);
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
      if (starts) return { x: await (full ? pseudoRungeKutta(input, now, middle) : improvedEuler(input, now)), denoised, state };
      const used = from.alpha === 0 ? [now] : [now, ...history].slice(0, most);
      return { x: algebra.linear(...transferTerms(input, used, EVEN_ADAMS[used.length - 1]!)), denoised, state };
    },
  });
}

/** The mean of the noises at both ends of the step. */
async function improvedEuler<T>(input: StepInput<T>, now: Evaluation<T>): Promise<StepOutput<T>['x']> {
  const { to, denoise, algebra } = input;
  const predicted = algebra.linear(...transferTerms(input, [now], [1]));
  const end = { at: to, x: predicted, denoised: await denoise(predicted, to) };
  return algebra.linear(...transferTerms(input, [now, end], [1 / 2, 1 / 2]));
}

async function pseudoRungeKutta<T>(input: StepInput<T>, now: Evaluation<T>, middle: (from: NoiseLevel, to: NoiseLevel) => NoiseLevel): Promise<StepOutput<T>['x']> {
  const { x, from, to, denoise, algebra } = input;
  const between = middle(from, to);
  const evaluations = [now];
  for (const at of [between, between, to]) {
    // From the start of the step with the latest noise alone: the map with no share for the first evaluation.
    const latest = evaluations.at(-1)!;
    const state = evaluations.length === 1 ? algebra.linear(...transferTerms({ from, to: at, x }, [now], [1])) : algebra.linear(...transferTerms({ from, to: at, x }, [now, latest], [0, 1]));
    evaluations.push({ at, x: state, denoised: await denoise(state, at) });
  }
  return algebra.linear(...transferTerms(input, evaluations, RUNGE_KUTTA));
}

function halfAngle(from: NoiseLevel, to: NoiseLevel): NoiseLevel {
  const angle = (Math.atan2(from.sigma, from.alpha) + Math.atan2(to.sigma, to.alpha)) / 2;
  return { alpha: Math.cos(angle), sigma: Math.sin(angle) };
}
