import {
  defineSampler,
  type Evaluation,
  lambdaOf,
  type NoiseLevel,
  relativeSigma,
  type Sampler,
  type StepInput,
  type StepOutput,
} from '@langevin/core';
import { vpLinear, type NoiseProcess } from '@langevin/core-schedules';
import { readOptions, UserError } from '@langevin/tensor';
import { checkChoice, checkMethods } from '../check-option.ts';
import { exponentialWeights, lambdaStep, positionIn, exponentialTerms, firstOrderTerms } from '../maths/exponential.ts';
import { adamsWeights, lagrange } from '../maths/lagrange.ts';
import { checkLowerOrderFinal, finiteHistory, refusePureNoise, remember, stepOrder, type LowerOrderFinal } from '../maths/multistep.ts';
import { noiseTerms } from '../maths/noise-steps.ts';
import { integrate } from '../maths/quadrature.ts';

const FORMS = ['tab', 'rho-ab', 'log-rho', 'rho-rk2', 'rho-rk3', 'rho-rk4'] as const;

export interface DeisOptions {
  /**
   * In what the noise prediction is a polynomial, or which Runge-Kutta method goes over s = sigma / alpha:
   * - `tab`: in the time of a process, through past evaluations; the paper's best
   * - `rho-ab`: in s, which is lms() but for a step to a clean level
   * - `log-rho`: in log s, as diffusers' DEISMultistepScheduler
   * - `rho-rk2`, `rho-rk3`, `rho-rk4`: Heun, Kutta, the classical method; 2, 3, 4 evaluations a step, one when it ends clean
   *
   * @default 'tab'
   */
  readonly form?: (typeof FORMS)[number];
  /**
   * Order of accuracy, one more than the degree q of the polynomial: 1 (DDIM) to 4, the paper's tAB0 to tAB3; without meaning for
   * Runge-Kutta.
   * @default 4
   */
  readonly order?: 1 | 2 | 3 | 4;
  /** Whose time `tab` takes; that on which the network was trained is best. @default vpLinear(), the paper's */
  readonly process?: NoiseProcess;
  /** When the order falls at the end of a run. @default 'clean', as the paper has no rule for it; diffusers' is 'few' */
  readonly lowerOrderFinal?: LowerOrderFinal;
}

/** Stages of explicit Runge-Kutta methods: where they are, from which earlier noises they start, and their shares at the end. */
const TABLEAUS = {
  'rho-rk2': { order: 2, at: [0, 1], from: [[], [1]], shares: [1 / 2, 1 / 2] },
  'rho-rk3': { order: 3, at: [0, 1 / 2, 1], from: [[], [1 / 2], [-1, 2]], shares: [1 / 6, 4 / 6, 1 / 6] },
  'rho-rk4': { order: 4, at: [0, 1 / 2, 1 / 2, 1], from: [[], [1 / 2], [0, 1 / 2], [0, 0, 1]], shares: [1 / 6, 2 / 6, 2 / 6, 1 / 6] },
} as const;

type Tableau = (typeof TABLEAUS)[keyof typeof TABLEAUS];

/**
 * Diffusion exponential integrator sampler (Zhang and Chen 2022, arXiv:2204.13902, eq. 14 and section 4): the noise prediction as a
 * polynomial through the last q + 1 evaluations, integrated exactly along with the linear part; of order q + 1. Weights come from
 * Gauss-Legendre quadrature.
 *
 * @throws UserError when an option is not among the known ones, when the process of `tab` has one time for two levels, and at alpha = 0
 *   for the Runge-Kutta forms
 * @example
 * deis().order; // => 4
 */
export function deis(options: DeisOptions = {}): Sampler {
  const { form = 'tab', order = 4, process = vpLinear(), lowerOrderFinal = 'clean' } = readOptions('samplers/deis', options);
  checkChoice('deis', { form }, FORMS);
  checkChoice('deis', { order }, [1, 2, 3, 4]);
  checkLowerOrderFinal('deis', lowerOrderFinal);
  checkMethods(
    'deis',
    { process },
    {
      methods: ['time', 'level'],
      remedy: 'Pass the process on which the network was trained, such as vpLinear().',
    },
  );
  if (form === 'rho-rk2' || form === 'rho-rk3' || form === 'rho-rk4') {
    const tableau = TABLEAUS[form];
    return defineSampler({
      name: 'deis',
      order: tableau.order,
      stochastic: false,
      paper: 'arXiv:2204.13902',
      step: (input) => rungeKutta(input, tableau),
    });
  }
  return defineSampler({
    name: 'deis',
    order,
    stochastic: false,
    paper: 'arXiv:2204.13902, eq. 14',
    step: async (input) => {
      const { x, from, denoise, algebra } = input;
      const denoised = await denoise(x, from);
      const now = { at: from, x, denoised };
      const state = remember(input.state, now, order - 1);
      const used = [now, ...finiteHistory(input.state.history)].slice(0, stepOrder(input, order, lowerOrderFinal));
      if (used.length === 1) return { x: algebra.linear(...firstOrderTerms(input, denoised)), denoised, state };
      if (form === 'log-rho') {
        const nodes = used.map(({ at }, k) => (k === 0 ? 0 : positionIn(input, at)));
        const weights = exponentialWeights({ form: 'epsilon', h: lambdaStep(from, input.to), nodes });
        return { x: algebra.linear(...exponentialTerms(input, used, { form: 'epsilon', weights })), denoised, state };
      }
      const levels = used.map(({ at }) => at);
      const weights =
        form === 'rho-ab'
          ? adamsWeights({ nodes: levels.map(relativeSigma), from: relativeSigma(from), to: relativeSigma(input.to) })
          : timeWeights(process, levels, input.to);
      return { x: algebra.linear(...noiseTerms(input, used, weights)), denoised, state };
    },
  });
}

/** Weights of the noises at `levels`, the first of which is where the step starts: integrals over s of Lagrange polynomials in time. */
function timeWeights(process: NoiseProcess, levels: readonly NoiseLevel[], to: NoiseLevel): readonly number[] {
  const lambdas = levels.map(lambdaOf);
  const times = lambdas.map(process.time);
  // In units of the step, where polynomials are well conditioned.
  const [start, length] = [times[0]!, process.time(lambdaOf(to)) - times[0]!];
  const nodes = times.map((time) => (time - start) / length);
  if (length === 0 || new Set(nodes).size < nodes.length) {
    throw new UserError(
      `[samplers/deis] the process has one time for two levels of the run: process=${process.name}, times=${times.join(', ')}. `
        + `Pass the process on which the network was trained, or form: 'rho-ab'.`,
    );
  }
  const polynomials = lagrange(nodes);
  // ds = -s dlambda
  return integrate(
    (lambda) => {
      const u = (process.time(lambda) - start) / length;
      return polynomials.map((polynomial) => -Math.exp(-lambda) * polynomial.reduceRight((sum, c) => sum * u + c, 0));
    },
    { from: lambdas[0]!, to: lambdaOf(to) },
  );
}

/**
 * One step of an explicit Runge-Kutta method on dy / ds = epsilon. No noise can be seen at a clean level, so a step that ends there is
 * DDIM's.
 */
async function rungeKutta<T>(input: StepInput<T>, { at, from: rows, shares }: Tableau): Promise<StepOutput<T>> {
  const { x, from, to, denoise, algebra } = input;
  refusePureNoise('deis', from);
  const denoised = await denoise(x, from);
  if (to.sigma === 0) return { x: algebra.linear(...firstOrderTerms(input, denoised)), denoised };
  const [s, length] = [relativeSigma(from), relativeSigma(to) - relativeSigma(from)];
  const evaluations: Evaluation<T>[] = [{ at: from, x, denoised }];
  for (let stage = 1; stage < at.length; stage++) {
    const level = at[stage] === 1 ? to : { alpha: to.alpha, sigma: to.alpha * (s + at[stage]! * length) };
    const weights = rows[stage]!.map((share) => share * length);
    const step = { from, to: level, x };
    const state = algebra.linear(...(stage === 1 ? firstOrderTerms(step, denoised) : noiseTerms(step, evaluations, weights)));
    evaluations.push({ at: level, x: state, denoised: await denoise(state, level) });
  }
  return {
    x: algebra.linear(
      ...noiseTerms(
        input,
        evaluations,
        shares.map((share) => share * length),
      ),
    ),
    denoised,
  };
}
