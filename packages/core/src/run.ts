import type { Algebra } from './algebra.ts';
import type { Denoiser } from './denoiser.ts';
import type { NoiseLevel } from './level.ts';
import type { NoiseSource } from './noise-source.ts';
import type { Sampler, SamplerState } from './sampler.ts';

/** When a run looks for NaN and Infinity: at each prediction of the denoiser, or once at the last state. */
export type FiniteCheck = 'steps' | 'end';

/** Where a run stands; all of it is data, so it may be saved and passed to `resume`. */
export interface RunProgress<T> {
  /** Steps done. */
  readonly step: number;
  /** The state at levels[step]. */
  readonly x: T;
  /** Network evaluations so far. */
  readonly nfe: number;
  readonly state: SamplerState<T>;
}

/** What a run yields after each step. */
export interface RunStep<T> extends RunProgress<T> {
  /** Steps in all. */
  readonly steps: number;
  /** The x0-prediction of the step just done. */
  readonly denoised: T;
  /** The level of `x`. */
  readonly at: NoiseLevel;
}

/** What a run is given. */
export interface RunOptions<T> {
  readonly sampler: Sampler;
  readonly denoise: Denoiser<T>;
  /** The state at levels[0]. It is not changed. */
  readonly x: T;
  /** Noise levels, sigma / alpha strictly decreasing; the last may be clean. */
  readonly levels: readonly NoiseLevel[];
  /** For stochastic samplers. @default none */
  readonly noise?: NoiseSource;
  /** How states are combined. @default that of plain arrays, when x is a Float32Array or Float64Array; tensors need theirs */
  readonly algebra?: Algebra<NoInfer<T>>;
  /**
   * Start part-way: `x` is the state at levels[startAt], 0..steps; an image noised to it, say. Steps are numbered as in the whole run.
   * @default 0
   */
  readonly startAt?: number;
  /** Aborts between evaluations, with the signal's reason. */
  readonly signal?: AbortSignal;
  /**
   * When NaN and Infinity are looked for: `end` looks once at the last state, `steps` at each prediction, and names the step. Over plain
   * arrays each prediction is looked at in either case.
   *
   * @default 'end', as over tensors `steps` waits for a number from the device at each evaluation
   */
  readonly finite?: FiniteCheck;
  /** Go on from here instead of from `x`: anything that a run over the same levels has yielded. */
  readonly resume?: RunProgress<T>;
}

/**
 * Leads a state over noise levels by a sampler and yields after every step: the form of a driver, such as `trajectory` of
 * @langevin/samplers. Guidance, editing and distillation receive one as an argument, and import no sampler.
 */
export type Run = <T>(options: RunOptions<T>) => AsyncIterable<RunStep<T>>;
