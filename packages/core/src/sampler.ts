import type { Algebra } from './algebra.ts';
import type { DetailedPrediction } from './denoiser.ts';
import type { NoiseLevel, NoiseLevels } from './level.ts';
import type { NoiseInterval } from './noise-source.ts';

/** One look at the denoiser: what it was shown and what it said. */
export interface Evaluation<T> {
  readonly at: NoiseLevel;
  readonly x: T;
  readonly denoised: T;
}

/**
 * What a sampler carries from step to step. It is plain data and passed, never hidden, so that a run can be saved after any step
 * and resumed. The driver realises the states in it together with x.
 */
export interface SamplerState<T> {
  /** Earlier evaluations, latest first, as many as the method looks back on. */
  readonly history: readonly Evaluation<T>[];
  /** Other states, by name. */
  readonly values: Readonly<Record<string, T>>;
  /** Host numbers, by name: the step size of an adaptive method, say. */
  readonly numbers: Readonly<Record<string, number>>;
}

/** What a sampler may ask of an evaluation besides the x0-prediction. */
export type DetailPart = 'unconditional' | 'variance';

/** What a step is given. */
export interface StepInput<T> {
  /** The state at level `from`. */
  readonly x: T;
  readonly from: NoiseLevel;
  /** Less noisy than `from`; sigma may be 0 at the last step. */
  readonly to: NoiseLevel;
  /** Number of this step, 0..levels.length-2: `from` is levels[index] and `to` levels[index + 1]. */
  readonly index: number;
  /** All levels of the run. */
  readonly levels: readonly NoiseLevel[];
  /**
   * The x0-prediction; the driver counts calls and checks results. Levels may differ from item to item, and a batch may be several
   * states put together (`algebra.concat`), with a level for each of its items.
   */
  readonly denoise: (x: T, at: NoiseLevels) => Promise<T>;
  /** Like `denoise`, with the part that is named. @throws UserError when the denoiser does not give it */
  readonly detail: <Part extends DetailPart>(
    part: Part,
    x: T,
    at: NoiseLevels,
  ) => Promise<DetailedPrediction<T> & { readonly [P in Part]: T }>;
  /**
   * Fresh unit noise in the form of x. An interval other than from..to is named for sources that integrate over it.
   * Samplers that are not `stochastic` never call it.
   */
  readonly noise: (interval?: NoiseInterval) => Promise<T>;
  /** Whether draws are increments of one path over their intervals, as `path` of a noise source says. @default false */
  readonly noisePath?: boolean;
  readonly algebra: Algebra<T>;
  readonly state: SamplerState<T>;
}

export interface StepOutput<T> {
  /** The state at level `to`. */
  readonly x: T;
  /** The x0-prediction of this step, for previews. */
  readonly denoised: T;
  /** @default the state that was given */
  readonly state?: SamplerState<T>;
}

/**
 * A rule that leads a state from one noise level to the next, less noisy one: a frozen value without memory. Levels are
 * (alpha, sigma) pairs of any process; coefficients are float64 on the host; states are any T that has an {@link Algebra}.
 */
export interface Sampler {
  readonly name: string;
  /** Order of accuracy of the deterministic part on smooth problems: the error falls like steps^-order. */
  readonly order: number;
  /** Whether steps draw noise, with these options. */
  readonly stochastic: boolean;
  /** Where the method is from. */
  readonly paper: string;
  /** The state before the first step. */
  readonly init: <T>() => SamplerState<T>;
  readonly step: <T>(input: StepInput<T>) => Promise<StepOutput<T>>;
}

/** What an author states: `init` may be left out when a step needs no memory. */
export type SamplerDefinition = Omit<Sampler, 'init'> & Partial<Pick<Sampler, 'init'>>;

/**
 * A state that remembers nothing.
 *
 * @example
 * emptyState(); // => { history: [], values: {  }, numbers: {  } }
 */
export function emptyState<T>(): SamplerState<T> {
  return { history: [], values: {}, numbers: {} };
}

/**
 * A frozen sampler.
 *
 * @example
 * // Jumps to the prediction and noises it again: one call, no memory.
 * const renoise = defineSampler({
 *   name: 'renoise', order: 1, stochastic: true, paper: 'none',
 *   step: async ({ x, from, to, denoise, noise, algebra }) => {
 *     const denoised = await denoise(x, from);
 *     return { x: algebra.linear([to.alpha, denoised], [to.sigma, await noise()]), denoised };
 *   },
 * });
 */
export function defineSampler(definition: SamplerDefinition): Sampler {
  return Object.freeze({ init: emptyState, ...definition });
}
