import { defineSampler, type Evaluation, type NoiseLevel, type Sampler, type StepInput, type StepOutput, type Term } from '@langevin/core';
import { readOptions, UserError } from '@langevin/tensor';
import { checkChoice } from '../check-option.ts';
import {
  exponentialTerms,
  exponentialWeights,
  firstOrderTerms,
  lambdaStep,
  positionIn,
  type SmoothPrediction,
  type StepFrom,
} from '../maths/exponential.ts';
import { checkLowerOrderFinal, finiteHistory, remember, stepOrder, type LowerOrderFinal } from '../maths/multistep.ts';

export interface UnipcOptions {
  /** Order of the predictor; the corrector adds one. @default 2 */
  readonly order?: 1 | 2 | 3;
  /**
   * B(h) of the paper, h (`bh1`) or e^h - 1 (`bh2`). It matters where the published code does not solve for the weights: the
   * second-order predictor and the first-order corrector. @default 'bh2', better under guidance
   */
  readonly variant?: 'bh1' | 'bh2';
  /** What is taken as smooth in lambda: the clean sample or the noise. @default 'x0' */
  readonly prediction?: SmoothPrediction;
  /** Which steps' results are corrected by the evaluation that follows them; `except` numbers steps from 0. @default 'always' */
  readonly corrector?: 'always' | 'never' | { readonly except: readonly number[] };
  /** When the order falls at the end of a run. @default 'few'; the published code's 'always' would leave long runs at order 2 */
  readonly lowerOrderFinal?: LowerOrderFinal;
  /**
   * A step of another method in place of UniP's: its results are corrected by UniC, as the paper does with DPM-Solver++ (Table 2).
   * @default UniP
   */
  readonly predictor?: <T>(step: PredictorStep<T>) => Promise<T>;
}

/** What another predictor is given. */
export interface PredictorStep<T> {
  readonly from: NoiseLevel;
  readonly to: NoiseLevel;
  /** The state at `from`, corrected. */
  readonly x: T;
  readonly denoised: T;
}

type Settings = Required<Omit<UnipcOptions, 'predictor'>> & Pick<UnipcOptions, 'predictor'>;

/**
 * UniPC (Zhao et al. 2023, arXiv:2302.04867, Algorithms 5 to 8): a multistep predictor, and a corrector that improves the state at a
 * level once it has been evaluated there, at no cost: one evaluation a step. With it the order is one more than the predictor's.
 *
 * Steps from pure noise and to a clean end are of first order and stay uncorrected: there bh1 has no finite weights.
 *
 * @throws UserError when an option is not among the known ones
 * @example
 * unipc().order; // => 3
 */
export function unipc(given: UnipcOptions = {}): Sampler {
  const options = readOptions('samplers/unipc', given);
  const settings: Settings = { order: 2, variant: 'bh2', prediction: 'x0', corrector: 'always', lowerOrderFinal: 'few', ...options };
  const { order, corrector } = settings;
  checkChoice('unipc', { order }, [1, 2, 3]);
  checkChoice('unipc', { variant: settings.variant }, ['bh1', 'bh2']);
  checkChoice('unipc', { prediction: settings.prediction }, ['x0', 'epsilon']);
  checkLowerOrderFinal('unipc', settings.lowerOrderFinal);
  if (settings.predictor !== undefined && typeof settings.predictor !== 'function')
    throw new UserError(
      `[samplers/unipc] predictor must be a function of { from, to, x, denoised }: predictor=${typeof settings.predictor}. Leave `
        + 'it out for UniP.',
    );
  if (typeof corrector === 'object' && corrector !== null) {
    if (!(Array.isArray(corrector.except) && corrector.except.every((step: unknown) => Number.isSafeInteger(step)))) {
      throw new UserError(
        `[samplers/unipc] corrector.except must be a list of step numbers: except=${String(corrector.except)}. Pass { except: [0] `
          + '} to leave the first step as predicted.',
      );
    }
  } else {
    checkChoice('unipc', { corrector }, ['always', 'never']);
  }
  return defineSampler({
    name: 'unipc',
    order: corrector === 'never' ? order : order + 1,
    stochastic: false,
    paper: 'arXiv:2302.04867',
    step: (input) => unipcStep(input, settings),
  });
}

async function unipcStep<T>(input: StepInput<T>, settings: Settings): Promise<StepOutput<T>> {
  const { x: predicted, from, denoise, algebra } = input;
  const denoised = await denoise(predicted, from);
  const now = { at: from, x: predicted, denoised };
  const x = correct(input, now, settings);
  const own = stepOrder(input, settings.order, settings.lowerOrderFinal);
  const used = [now, ...finiteHistory(input.state.history)].slice(0, own);
  const step = { from, to: input.to, x };
  const state = remember(input.state, now, settings.order);
  // Left out where it is the predicted state itself, so that a run resumed from a file sums as this one does.
  const values: Record<string, T> = x === predicted ? {} : { corrected: x };
  return {
    x:
      settings.predictor !== undefined
        ? await settings.predictor({ from, to: input.to, x, denoised })
        : algebra.linear(...(own === 1 ? plainTerms(step, used, settings) : predictorTerms(step, used, settings))),
    denoised,
    state: { ...state, values, numbers: { order: own } },
  };
}

/** DDIM's step. For `epsilon` the noise is that of the evaluation, made before the state was corrected. */
function plainTerms<T>(step: StepFrom<T>, [now]: readonly Evaluation<T>[], { prediction }: Settings): readonly Term<T>[] {
  if (prediction === 'x0' || now!.x === step.x || step.from.alpha === 0) return firstOrderTerms(step, now!.denoised);
  const weights = exponentialWeights({ form: 'epsilon', h: lambdaStep(step.from, step.to), nodes: [0] });
  return exponentialTerms(step, [now!], { form: 'epsilon', weights });
}

function predictorTerms<T>(step: StepFrom<T>, used: readonly Evaluation<T>[], { prediction: form, variant }: Settings): readonly Term<T>[] {
  const h = lambdaStep(step.from, step.to);
  const nodes = used.map(({ at }, k) => (k === 0 ? 0 : positionIn(step, at)));
  const slope = halfB({ form, variant, h });
  const adjust = ([whole]: readonly number[]): readonly number[] => [whole!, slope];
  return exponentialTerms(step, used, { form, weights: exponentialWeights({ form, h, nodes, ...(used.length === 2 && { adjust }) }) });
}

/** The state at `from` again, now that it has been evaluated there; the prediction itself where there is nothing to correct. */
function correct<T>(
  { index, state, x: predicted, algebra }: StepInput<T>,
  now: Evaluation<T>,
  { prediction: form, variant, corrector }: Settings,
): T {
  const [last] = state.history;
  const off = corrector === 'never' || (corrector !== 'always' && corrector.except.includes(index - 1));
  if (off || last === undefined || last.at.alpha === 0) return predicted;
  const step = { from: last.at, to: now.at, x: state.values['corrected'] ?? last.x };
  const own = state.numbers['order']!;
  const used = [...finiteHistory(state.history).slice(0, own), now];
  const h = lambdaStep(step.from, step.to);
  const nodes = used.map(({ at }, k) => (k === 0 ? 0 : at === now.at ? 1 : positionIn(step, at)));
  const slope = halfB({ form, variant, h });
  const weights = exponentialWeights({ form, h, nodes, ...(own === 1 ? { adjust: ([whole]: readonly number[]) => [whole!, slope] } : {}) });
  return algebra.linear(...exponentialTerms(step, used, { form, weights }));
}

/** Half of B(h), in the scale of the kernel's moments, with which the published code weighs a slope that it does not solve for. */
function halfB({ form, variant, h }: { readonly form: SmoothPrediction; readonly variant: 'bh1' | 'bh2'; readonly h: number }): number {
  if (variant === 'bh2') return -Math.expm1(-h) / 2;
  return (form === 'x0' ? h : h * Math.exp(-h)) / 2;
}
