import {
  defineSampler,
  type Evaluation,
  lambdaOf,
  type NoiseLevel,
  relativeSigma,
  type Sampler,
  type SamplerState,
  type StepInput,
  type StepOutput,
  type Term,
} from '@langevin/core';
import { checkNumber, readOptions, UserError } from '@langevin/tensor';
import { checkChoice, checkKind } from '../check-option.ts';
import { flooredSplit } from '../maths/ancestral.ts';
import { secondOrderAdjust } from '../maths/dpm-multistep.ts';
import { exponentialTerms, exponentialWeights, firstOrderTerms, type StepFrom } from '../maths/exponential.ts';

export interface DpmAdaptiveOptions {
  /** 2 compares DPM-Solver-1 and 2, 3 compares 2 and 3. @default 3 */
  readonly order?: 2 | 3;
  /** Tolerance relative to the state, > 0. @default 0.05, the paper's */
  readonly rtol?: number;
  /** Tolerance in units of the data, > 0. @default 0.0078, the paper's: 1 / 128 of images in -1..1 */
  readonly atol?: number;
  /** First step of lambda that is tried, > 0. @default 0.05, the paper's */
  readonly firstStep?: number;
  /**
   * Gains of the step size's control by the latest error, its change, and the change of that.
   * @default [0, 1, 0] for p, i and d, plain control by the latest
   */
  readonly control?: readonly [p: number, i: number, d: number];
  /** A step is repeated when its proposed change of size is below this, in (0, 1). @default 0.81 */
  readonly safety?: number;
  /** Inner steps between two levels after which it is given up. @default 1000 */
  readonly maxSteps?: number;
  /**
   * Share of the posterior's noise that each inner step adds, >= 0; k-diffusion's. With brownianTreeNoise() each image has the path's
   * increments over its own steps.
   * @default 0, the paper's
   */
  readonly eta?: number;
  /** Factor on the noise that is added, > 0. @default 1 */
  readonly sNoise?: number;
}

/** Where one item of the batch stands on its way from level to level. */
interface Item {
  readonly lambda: number;
  readonly h: number;
  /** Inverse errors of the last two accepted steps, the latest first; NaN before there were any. */
  readonly errors: readonly [number, number];
}

type Settings = Required<DpmAdaptiveOptions>;

/** Remainders shorter than this join the step before. */
const SLIVER = 1e-5;

/**
 * DPM-Solver-12 and -23 (Lu et al. 2022, arXiv:2206.00927, appendix C) with k-diffusion's control of the step size: between two levels of
 * the grid, steps in lambda are as long as the difference of two orders allows, for each image on its own. The classical use is
 * a grid of two levels; every level more is a place where steps end. A step to a clean level is one of first order.
 *
 * @throws UserError when an option is out of range, and from a step that makes no headway
 * @example
 * const denoise = gaussian({ mean: [0.5], std: 0.2 }).denoiser<Float64Array>();
 * const levels = [10, 0.01].map(sigmaLevel);
 * await sample({ sampler: dpmAdaptive({ rtol: 1e-4, atol: 1e-4 }), denoise, x: Float64Array.of(10), levels }); // => [0.69]
 */
export function dpmAdaptive(given: DpmAdaptiveOptions = {}): Sampler {
  const options = readOptions('samplers/dpm-adaptive', given);
  const settings: Settings = {
    order: 3,
    rtol: 0.05,
    atol: 0.0078,
    firstStep: 0.05,
    control: [0, 1, 0],
    safety: 0.81,
    maxSteps: 1000,
    eta: 0,
    sNoise: 1,
    ...options,
  };
  checkChoice('dpm-adaptive', { order: settings.order }, [2, 3]);
  checkNumber('samplers/dpm-adaptive', { eta: settings.eta }, { atLeast: 0 });
  const { rtol, atol, firstStep, maxSteps, sNoise, safety } = settings;
  checkNumber('samplers/dpm-adaptive', { rtol, atol, firstStep, sNoise }, { above: 0 });
  checkNumber('samplers/dpm-adaptive', { maxSteps }, { atLeast: 1, kind: 'integer' });
  checkNumber('samplers/dpm-adaptive', { safety }, { above: 0, below: 1 });
  const remedy = 'Pass three numbers; [0, 1, 0] is plain.';
  const listed = Array.isArray(settings.control) && settings.control.length === 3;
  checkKind('dpm-adaptive', { name: 'control', value: settings.control, holds: listed, remedy });
  settings.control.forEach((value, i) => checkNumber('samplers/dpm-adaptive', { [`control[${i}]`]: value }, { advice: remedy }));
  return defineSampler({
    name: 'dpm-adaptive',
    order: settings.order,
    stochastic: settings.eta > 0,
    paper: 'arXiv:2206.00927, appendix C',
    step: (input) => {
      const { from, to } = input;
      if (relativeSigma(to) > relativeSigma(from))
        throw new UserError(
          `[samplers/dpm-adaptive] the method goes from noise to data: from sigma / alpha=${relativeSigma(from)} to `
            + `${relativeSigma(to)}. Invert with ddim() or a multistep method.`,
        );
      return from.alpha === 0 || to.sigma === 0 ? firstOrder(input) : integrate(input, settings);
    },
  });
}

async function firstOrder<T>(input: StepInput<T>): Promise<StepOutput<T>> {
  const denoised = await input.denoise(input.x, input.from);
  return { x: input.algebra.linear(...firstOrderTerms(input, denoised)), denoised };
}

async function integrate<T>(input: StepInput<T>, settings: Settings): Promise<StepOutput<T>> {
  const { from, to, algebra } = input;
  const { eta, sNoise } = settings;
  const end = lambdaOf(to);
  // Lambda stays finite where the run ends clean.
  const floor = relativeSigma(input.levels.findLast(({ sigma }) => sigma > 0)!);
  const at = (lambda: number): NoiseLevel => ({ alpha: to.alpha, sigma: to.alpha * Math.exp(-lambda) });
  let items = Array.from({ length: algebra.items(input.x) }, (_, i) =>
    recall(input.state, i, { lambda: lambdaOf(from), h: settings.firstStep }),
  );
  // Between the levels all states are in the units of `to`.
  let x = algebra.linear([to.alpha / from.alpha, input.x]);
  let [before, denoised] = [x, x];
  for (let count = 0; items.some(({ lambda }) => lambda < end); count++) {
    if (count >= settings.maxSteps) {
      const least = Math.min(...items.filter(({ lambda }) => lambda < end).map(({ h }) => h));
      throw new UserError(
        `[samplers/dpm-adaptive] no end in sight after ${count} inner steps of step ${input.index + 1}: step of `
          + `lambda=${least.toExponential(2)}. Raise the tolerances or maxSteps.`,
      );
    }
    // An item that has arrived takes steps of length zero until the others have.
    const spans = items.map(({ lambda, h }): Span => ({ lambda, goal: lambda + h > end - SLIVER ? end : lambda + h }));
    // With noise to come back up, a step first goes farther down.
    const splits = spans.map(({ lambda, goal }) =>
      eta > 0 ? flooredSplit({ from: at(lambda), to: at(goal) }, { eta, floor }) : { down: at(goal), up: 0 },
    );
    const ways = eta > 0 ? spans.map(({ lambda }, i) => ({ lambda, goal: lambdaOf(splits[i]!.down) })) : spans;
    const tried = await pair(input, { x, spans: ways, order: settings.order });
    const errors = await algebra.scaledRms(algebra.linear([1, tried.high], [-1, tried.low]), {
      absolute: settings.atol * to.alpha,
      relative: settings.rtol,
      of: [tried.low, before],
    });
    const next = items.map((item, i) => (item.lambda < end ? judge(item, { goal: spans[i]!.goal, error: errors[i]! }, settings) : item));
    const moved = next.map(({ lambda }, i) => (lambda > items[i]!.lambda ? 1 : 0));
    const kept = moved.map((m) => 1 - m);
    // Noise is drawn for every attempt, so that the draws of an image do not depend on the others of its batch.
    x =
      eta > 0
        ? algebra.linear(
            [moved, tried.high],
            [kept, x],
            [
              moved.map((m, i) => m * sNoise * splits[i]!.up),
              await input.noise({ from: spans.map(({ lambda }) => at(lambda)), to: spans.map(({ goal }) => at(goal)) }),
            ],
          )
        : algebra.linear([moved, tried.high], [kept, x]);
    before = algebra.linear([moved, tried.low], [kept, before]);
    ({ denoised } = tried);
    items = next;
    await algebra.realize([x, before, denoised]);
  }
  return { x, denoised, state: keep(input.state, items) };
}

interface Span {
  readonly lambda: number;
  readonly goal: number;
}

/** Where two neighbouring orders lead each item over its span; they share evaluations. */
async function pair<T>(
  { algebra, denoise, to }: StepInput<T>,
  { x, spans, order }: { readonly x: T; readonly spans: readonly Span[]; readonly order: Settings['order'] },
): Promise<{ readonly low: T; readonly high: T; readonly denoised: T }> {
  /** For each item, the level a share of the way along. */
  const levels = (r: number): NoiseLevel[] =>
    spans.map(({ lambda, goal }) => ({ alpha: to.alpha, sigma: to.alpha * Math.exp(-lambda - r * (goal - lambda)) }));
  const look = async (state: T, r: number): Promise<Look<T>> => ({
    r,
    x: state,
    levels: levels(r),
    denoised: await denoise(state, levels(r)),
  });
  /** The states a share `r` of the way along, through what was seen. */
  const reach = (r: number, looks: readonly Look<T>[], rule: 'exact' | 'published'): T => {
    const goals = levels(r);
    const perItem = spans.map(({ lambda, goal }, i): readonly Term<T>[] => {
      const step: StepFrom<T> = { from: looks[0]!.levels[i]!, to: goals[i]!, x };
      if (looks.length === 1) return firstOrderTerms(step, looks[0]!.denoised);
      const evaluations = looks.map((seen): Evaluation<T> => ({ at: seen.levels[i]!, x: seen.x, denoised: seen.denoised }));
      const weights = exponentialWeights({
        form: 'epsilon',
        h: r * (goal - lambda),
        nodes: looks.map((seen) => seen.r / r),
        ...(rule === 'published' ? { adjust: secondOrderAdjust('midpoint') } : {}),
      });
      return exponentialTerms(step, evaluations, { form: 'epsilon', weights });
    });
    return algebra.linear(...perItem[0]!.map(([, state], k): Term<T> => [perItem.map((terms) => terms[k]![0] as number), state]));
  };
  const start = await look(x, 0);
  if (order === 2) {
    const middle = await look(reach(1 / 2, [start], 'exact'), 1 / 2);
    return { low: reach(1, [start], 'exact'), high: reach(1, [start, middle], 'published'), denoised: start.denoised };
  }
  const first = await look(reach(1 / 3, [start], 'exact'), 1 / 3);
  const second = await look(reach(2 / 3, [start, first], 'exact'), 2 / 3);
  return { low: reach(1, [start, first], 'published'), high: reach(1, [start, second], 'exact'), denoised: start.denoised };
}

/** An evaluation of all items at the same share of their spans. */
interface Look<T> {
  readonly r: number;
  readonly x: T;
  readonly levels: readonly NoiseLevel[];
  readonly denoised: T;
}

/** Keeps the greatest change of step size finite: 1 + atan(f - 1) is f near 1. */
const limited = (factor: number): number => 1 + Math.atan(factor - 1);

/** PID control of the step size, as in k-diffusion: an attempt moves the item or leaves it for a shorter one. */
function judge(
  item: Item,
  { goal, error }: { readonly goal: number; readonly error: number },
  { order: quiet, control: [p, i, d], safety, eta }: Settings,
): Item {
  // With noise, errors fall as at order 1.5.
  const order = eta > 0 ? 1.5 : quiet;
  const inverse = 1 / (error + 1e-8);
  const [last, beforeLast] = Number.isNaN(item.errors[0]) ? [inverse, inverse] : item.errors;
  const factor = limited(inverse ** ((p + i + d) / order) * last ** (-(p + 2 * d) / order) * beforeLast ** (d / order));
  const length = goal - item.lambda;
  if (factor < safety) return { ...item, h: Math.min(item.h, length) * factor, errors: [last, beforeLast] };
  // A step that a level of the grid cut short does not shorten those to come.
  const cut = goal < item.lambda + item.h;
  return { lambda: goal, h: cut ? Math.max(item.h, length * factor) : item.h * factor, errors: [inverse, last] };
}

/** What is remembered of an item from level to level. */
function recall<T>({ numbers }: SamplerState<T>, i: number, start: Pick<Item, 'lambda' | 'h'>): Item {
  return {
    lambda: start.lambda,
    h: numbers[`h.${i}`] ?? start.h,
    errors: [numbers[`error.${i}`] ?? Number.NaN, numbers[`before.${i}`] ?? Number.NaN],
  };
}

function keep<T>(state: SamplerState<T>, items: readonly Item[]): SamplerState<T> {
  const entries = items.flatMap(
    ({ h, errors: [last, before] }, i) =>
      [
        [`h.${i}`, h],
        [`error.${i}`, last],
        [`before.${i}`, before],
      ] as const,
  );
  return { ...state, numbers: { ...state.numbers, ...Object.fromEntries(entries) } };
}
