import { defineSampler, type Evaluation, type NoiseLevel, relativeSigma, type Sampler, type StepInput, type Term } from '@langevin/core';
import { checkNumber, readOptions } from '@langevin/tensor';
import { checkChoice } from '../check-option.ts';
import { lambdaStep, type SmoothPrediction } from '../maths/exponential.ts';
import {
  checkLowerOrderFinal,
  finalOrder,
  finiteHistory,
  remember,
  stepOrder,
  type FinalOrderRule,
  type LowerOrderFinal,
} from '../maths/multistep.ts';
import { stochasticDeviation, stochasticTerms, type StochasticStep } from '../maths/stochastic-exponential.ts';

export interface SaSolverOptions {
  /** Evaluations that the predictor uses. @default 3 */
  readonly predictorOrder?: 1 | 2 | 3 | 4;
  /** Evaluations that the corrector uses, the new one among them; 0 leaves it out. @default 4, one more than the predictor */
  readonly correctorOrder?: 0 | 1 | 2 | 3 | 4;
  /** `pec` keeps the evaluation at the predicted state; `pece` makes another one at the corrected state. @default 'pec' */
  readonly mode?: 'pec' | 'pece';
  /**
   * Amount of noise, tau >= 0, as a function of the level at one end of a step: 0 the ODE, 1 the reverse SDE.
   * @default 1 where 0.05 <= sigma / alpha <= 1, else 0
   */
  readonly tau?: number | ((at: NoiseLevel) => number);
  /** At which end of a step tau is read. @default 'start', the paper's and diffusers'; ComfyUI's is 'target' */
  readonly tauAt?: 'start' | 'target';
  /** Which prediction is interpolated in lambda. @default 'x0' */
  readonly prediction?: SmoothPrediction;
  /**
   * How two evaluations are weighed: by exact integrals, or as the authors' code and diffusers do, with h (1 + tau^2) / 2 for the slope.
   * @default 'exact'
   */
  readonly weights?: 'exact' | 'reference';
  /** Factor on the noise that is added, > 0. @default 1 */
  readonly sNoise?: number;
  /**
   * When the order falls at the end of a run; with `early` the last step before a clean level is of first order already, and the corrector
   * looks at no more evaluations than the predictor did.
   * @default 'clean', as the paper has no rule for it; diffusers' is 'always', ComfyUI's 'early'
   */
  readonly lowerOrderFinal?: LowerOrderFinal | 'early';
}

const ORDERS = [1, 2, 3, 4] as const;

/** In the middle of a run, where noise helps most (arXiv:2309.05019, section 6). */
const middle = (at: NoiseLevel): number => (relativeSigma(at) >= 0.05 && relativeSigma(at) <= 1 ? 1 : 0);

/**
 * SA-Solver (Xue et al. 2023, arXiv:2309.05019, Algorithm 1): Adams methods for the diffusion SDE in lambda, a predictor and a corrector
 * that share the noise of the step. The corrector of a step acts at the start of the next one, on the evaluation made there.
 *
 * @throws UserError when an option is out of range, and at a level where tau is
 * @example
 * saSolver().order; // => 2
 */
export function saSolver(options: SaSolverOptions = {}): Sampler {
  const {
    predictorOrder = 3,
    correctorOrder = 4,
    mode = 'pec',
    tau = middle,
    tauAt = 'start',
    prediction = 'x0',
    weights = 'exact',
    sNoise = 1,
    lowerOrderFinal = 'clean',
  } = readOptions('samplers/sa-solver', options);
  checkChoice('sa-solver', { predictorOrder }, ORDERS);
  checkChoice('sa-solver', { correctorOrder }, [0, ...ORDERS]);
  checkChoice('sa-solver', { mode }, ['pec', 'pece']);
  checkChoice('sa-solver', { prediction }, ['x0', 'epsilon']);
  checkChoice('sa-solver', { weights }, ['exact', 'reference']);
  checkChoice('sa-solver', { tauAt }, ['start', 'target']);
  checkLowerOrderFinal('sa-solver', lowerOrderFinal, ['early']);
  checkNumber('samplers/sa-solver', { sNoise }, { above: 0 });
  if (typeof tau !== 'function') checkTau(tau);
  const stochastic = tau !== 0;
  const ruleOf = (from: NoiseLevel, to: NoiseLevel): StochasticStep => {
    const rate = checkTau(typeof tau === 'number' ? tau : tau(tauAt === 'start' ? from : to)) ** 2;
    // Where the step of lambda is infinite, only the clean sample has a limit.
    const form = from.alpha === 0 || to.sigma === 0 ? 'x0' : prediction;
    const slope = ((1 + rate) * lambdaStep(from, to)) / 2;
    return {
      form,
      rate,
      adjust: (moments) => (weights === 'reference' && form === 'x0' && moments.length === 2 ? [moments[0]!, slope] : moments),
    };
  };
  return defineSampler({
    name: 'sa-solver',
    order: orderOf({ predictorOrder, correctorOrder, stochastic }),
    stochastic,
    paper: 'arXiv:2309.05019, Algorithm 1',
    step: async (input) => {
      const { from, to, denoise, noise, algebra, state } = input;
      const predicted = { at: from, x: input.x, denoised: await denoise(input.x, from) };

      const order = correctorOrder === 0 ? 0 : correctedOrder(input, correctorOrder, lowerOrderFinal);
      const last = state.history[0];
      let now: Evaluation<typeof input.x> = predicted;
      let { x } = input;
      if (order > 0 && last !== undefined) {
        const step = { from: last.at, to: from, x: state.values['x']! };
        const rule = ruleOf(step.from, step.to);
        const terms = stochasticTerms(rule, step, [predicted, ...finiteHistory(state.history)].slice(0, order));
        x = algebra.linear(...terms, ...noiseTerms(rule, step, state.values['noise']));
        if (mode === 'pece') now = { at: from, x, denoised: await denoise(x, from) };
      }

      const rule = ruleOf(from, to);
      const used = [now, ...finiteHistory(state.history)].slice(0, stepOrder(input, predictorOrder, lowerOrderFinal));
      const drawn = stochastic && to.sigma > 0 ? await noise() : undefined;
      const values = drawn === undefined ? { x } : { x, noise: drawn };
      return {
        x: algebra.linear(...stochasticTerms(rule, { from, to, x }, used), ...noiseTerms(rule, { from, to }, drawn)),
        denoised: now.denoised,
        state: { ...remember(state, now, Math.max(predictorOrder, correctorOrder) - 1 || 1), values },
      };
    },
  });

  function noiseTerms<T>(
    rule: StochasticStep,
    step: { readonly from: NoiseLevel; readonly to: NoiseLevel },
    z: T | undefined,
  ): readonly Term<T>[] {
    return z === undefined ? [] : [[sNoise * stochasticDeviation(rule, step), z]];
  }
}

/** With c evaluations a corrector is of order c, on a prediction of order p one order is won; noise leaves at most 2. */
function orderOf({
  predictorOrder: p,
  correctorOrder: c,
  stochastic,
}: {
  readonly predictorOrder: number;
  readonly correctorOrder: number;
  readonly stochastic: boolean;
}): number {
  const quiet = c === 0 ? p : Math.min(p + 1, c);
  return stochastic ? Math.min(2, quiet) : quiet;
}

/** Evaluations that correct the step before this one: 0 at the start, and behind a step from pure noise. */
function correctedOrder<T>({ index, levels, state }: StepInput<T>, order: number, rule: FinalOrderRule): number {
  const [last] = state.history;
  if (last === undefined || last.at.alpha === 0) return 0;
  // As many evaluations as the step before had for its prediction, and the new one.
  const before = {
    from: last.at,
    to: levels[index]!,
    index: index - 1,
    levels,
    state: { ...state, history: finiteHistory(state.history).slice(1) },
  };
  const available = stepOrder({ ...before, index: 0, levels: [] }, order, 'never') + 1;
  return rule === 'early' ? Math.min(available, finalOrder(before, order, rule)) : Math.min(order, stepOrder(before, order, rule) + 1);
}

function checkTau(value: number): number {
  checkNumber(
    'samplers/sa-solver',
    { tau: value },
    { atLeast: 0, advice: 'Pass a number >= 0, or a function of the level that gives one.' },
  );
  return value;
}
