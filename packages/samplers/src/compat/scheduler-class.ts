import type { Algebra, DetailedPrediction, NoiseLevel, NoiseSource, Sampler } from '@langevin/core';
import type { FieldTable, ValuesOf } from '@langevin/tensor/fields';
import type { StepOptions, TimestepsOptions } from './call-options.ts';
import type { DiffusersScheduler } from './diffusers-scheduler.ts';
import type { Question } from './stepping.ts';

export type { StepOptions, TimestepsOptions } from './call-options.ts';

/** A place in a run. */
export interface Place {
  readonly t: number;
  /** Position in the list of timesteps; -1 for classes that know places by timestep alone. */
  readonly index: number;
}

/** A call of step as a class sees it. */
export interface Call<T> extends Place {
  readonly options: StepOptions<T>;
  /** The options of the first call of the run, which may be this one. */
  readonly first: StepOptions<T>;
  /** The level that addNoiseToInput has raised the sample to; undefined where it was not called. */
  readonly raised: NoiseLevel | undefined;
}

/** The step of a solver that a call begins. */
export interface Move {
  readonly sampler: Sampler;
  readonly from: NoiseLevel;
  readonly to: NoiseLevel;
  /** Number of the solver's step and all its levels, for solvers that look at them. @default 0 and [from, to] */
  readonly index?: number;
  readonly levels?: readonly NoiseLevel[];
  /** Whether the solver forgets what earlier steps left it. @default false */
  readonly forgets?: boolean;
  /**
   * Levels of evaluations, latest first, that upstream counts at the start of a run though it does not have them: their slopes are zero.
   * @default none
   */
  readonly pastLevels?: readonly NoiseLevel[];
  /** Whether noise is zero in this step, as where upstream multiplies a draw by 0. @default false */
  readonly silent?: boolean;
  /** Draws that upstream makes first and does not use, so that streams agree. @default 0 */
  readonly unusedDraws?: number;
  /**
   * Draws that upstream makes in the step, used or multiplied by 0: those that the solver has not made when it ends are made for the sake
   * of the stream. @default as many as the solver makes
   */
  readonly draws?: number;
}

/** A model output to be turned into what the solver asked for. */
export interface Output<T> {
  readonly modelOutput: T;
  /** What the solver asked; its state includes noise that the solver added itself, or is the given one as `later` says. */
  readonly question: Question<T>;
  /** The state that was passed to step. */
  readonly sample: T;
  readonly call: Call<T>;
}

/** Steps of a batch whose items are at timesteps of their own. */
export interface ItemSteps<T> {
  readonly modelOutput: T;
  readonly sample: T;
  readonly timesteps: readonly number[];
}

/** What the solver is answered. */
export interface Answer<T> extends DetailedPrediction<T> {
  /** The x0-prediction for the caller, where the solver was told another. */
  readonly shown?: T;
}

/** What follows from a list of timesteps: a value, made anew by each setTimesteps. */
export interface Schedule<T> {
  /** The loop's timesteps: one for each call of step. */
  readonly timesteps: readonly number[];
  /** The public table of sigmas; empty where the class has none. */
  readonly sigmas: readonly number[];
  readonly initNoiseSigma: number;
  /** How a timestep that is not in the list is met. @default 'refuse' */
  readonly missing?: 'refuse' | 'last' | 'by-timestep';
  /** Where counting begins at a timestep. @default its place in the list; no calls are counted where places are known by timestep alone */
  readonly countFrom?: (t: number) => number;
  /** The factor of scaleModelInput; `asked` is the level of the state that an unfinished step asks about. @default 1 */
  readonly inputScale?: (place: Place, asked?: NoiseLevel) => number;
  readonly move: (call: Call<T>) => Move | Promise<Move>;
  readonly predict: (output: Output<T>) => Answer<T> | Promise<Answer<T>>;
  /**
   * What the sample means that the second and later calls of a solver's step are given, where it is not the state that the solver asks
   * about: the solver goes on with the slope there, or with the x0-prediction there, or the sample is not looked at.
   * @default 'slope'
   */
  readonly later?: 'slope' | 'prediction' | 'ignored';
  /** Whether outputs may have as many channels again for the variance, which then are the class's to check. @default false */
  readonly learnsVariance?: boolean;
  /** For batchStepNoNoise, of the parallel classes: the state that follows, for items at timesteps of their own. */
  readonly withoutNoise?: (items: ItemSteps<T>) => Promise<T>;
  /** For undoStep, of RePaint: the levels on the way back up from t, each as alpha x + sigma noise. */
  readonly undo?: (t: number) => readonly NoiseLevel[];
  /** For addNoiseToInput, of KarrasVe: the level that noise raises the sample to before it is shown and passed to step. */
  readonly raise?: (place: Place) => { readonly at: NoiseLevel; readonly noise: number };
  /** For addNoise: alpha x0 + sigma noise. */
  readonly noiseLevel?: (place: Place) => NoiseLevel;
  /** For getVelocity: alpha noise - sigma x0. */
  readonly velocityLevel?: (place: Place) => NoiseLevel;
  /** Where noise comes from when step is given none: a Brownian path, say. */
  readonly noise?: NoiseSource;
  /** The same where it depends on what step is given. */
  readonly noiseFrom?: (call: Call<T>) => NoiseSource | undefined;
}

export interface Context<O extends FieldTable, T> {
  readonly config: ValuesOf<O>;
  readonly algebra: Algebra<T>;
  /** Another scheduler of the same states, from a config that was checked to be an object. */
  readonly nested: (config: object) => DiffusersScheduler<T>;
}

/** What an author of a scheduler class states. */
export interface SchedulerDefinition<O extends FieldTable> {
  /** The name of the Python class. */
  readonly name: string;
  /** Calls of step for each step of the solver, as pipelines use it. @default 1 */
  readonly order?: number;
  readonly options: O;
  /** Which options set_timesteps takes. @default the number of steps only */
  readonly timestepsOptions?: readonly (keyof TimestepsOptions)[];
  /** Whether step may come before setTimesteps, over the whole chain, as it may in Python. @default 'refused' */
  readonly unset?: 'refused' | 'steps';
  /** Which options step takes. @default none */
  readonly stepOptions?: readonly (keyof StepOptions<unknown>)[];
  /** Tables that depend on the config alone, then schedules: before setTimesteps without a request. */
  readonly create: <T>(context: Context<O, T>) => (request?: TimestepsOptions) => Schedule<T>;
}

/** A scheduler class, whatever its options. */
export type SchedulerClass = SchedulerDefinition<FieldTable>;

/** Checks the definition against its own options and forgets their types. */
export function defineScheduler<const O extends FieldTable>(definition: SchedulerDefinition<O>): SchedulerClass {
  return Object.freeze(definition) as unknown as SchedulerClass;
}
