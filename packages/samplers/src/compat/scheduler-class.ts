import type { Algebra, DetailedPrediction, NoiseLevel } from '@langevin/core-schedules';
import type { Generator } from '@langevin/tensor';
import type { NoiseSource } from '../noise.ts';
import type { Sampler } from '../sampler.ts';
import type { ConfigOf, OptionTable } from './config.ts';
import type { DiffusersScheduler } from './scheduler.ts';
import type { Question } from './stepping.ts';

/** What set_timesteps takes besides the number of steps; each class accepts the ones that its Python twin has. */
export interface TimestepsOptions {
  readonly numInferenceSteps?: number;
  readonly timesteps?: readonly number[];
  readonly sigmas?: readonly number[];
  /** Shift of a flow for the resolution, as pipelines compute it. */
  readonly mu?: number;
  readonly numTrainTimesteps?: number;
  readonly originalInferenceSteps?: number;
  readonly strength?: number;
  readonly samplingEps?: number;
  readonly jumpLength?: number;
  readonly jumpNSample?: number;
  readonly maxTimesteps?: number;
  readonly intermediateTimesteps?: number | null;
  readonly stageIndex?: number;
  readonly isAmplifyFirstChunk?: boolean;
}

/** What step takes besides model output, timestep and sample; each class accepts the ones that its Python twin has. */
export interface StepOptions<T> {
  /** Draws noise as PyTorch does: one generator for the batch, or one for each item. It advances. */
  readonly generator?: Generator | readonly Generator[];
  /** The noise itself, or a list with one state for each draw of the step; instead of a generator. */
  readonly noise?: T | readonly T[];
  /** For classes whose noise is a Brownian path: its seed, or one for each item. */
  readonly seed?: number | bigint | readonly (number | bigint)[];
  readonly eta?: number;
  readonly useClippedModelOutput?: boolean;
  readonly sChurn?: number;
  readonly sTMin?: number;
  readonly sTMax?: number;
  readonly sNoise?: number;
  readonly prevTimestep?: number;
  readonly order?: number;
  readonly originalImage?: T;
  readonly mask?: T;
  readonly oldPredOriginalSample?: T;
  readonly timestepBack?: number;
  readonly rTimestep?: number;
  readonly predOriginalSample?: T;
  /** The shape [N, C, ...] of the sample, for classes that resize it. */
  readonly shape?: readonly number[];
  readonly perTokenTimesteps?: readonly number[];
  readonly curSamplingStep?: number;
  readonly dmdNoisyTensor?: T;
  readonly dmdSigmas?: readonly number[];
  readonly dmdTimesteps?: readonly number[];
  readonly allTimesteps?: readonly number[];
}

/** A place in a run. */
export interface Place {
  readonly t: number;
  /** Position in the list of timesteps; -1 for classes that know places by timestep alone. */
  readonly index: number;
}

/** A call of step as a class sees it. */
export interface Call<T> extends Place {
  readonly options: StepOptions<T>;
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
}

/** A model output to be turned into what the solver asked for. */
export interface Output<T> {
  readonly modelOutput: T;
  /** What the solver asked; its state includes noise that the solver added itself. */
  readonly question: Question<T>;
  /** The state that was passed to step. */
  readonly sample: T;
  readonly call: Call<T>;
  /** Number of the evaluation within the solver's step, from 0. */
  readonly evaluation: number;
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
  /** The factor of scaleModelInput; `asked` is the level of the state that an unfinished step asks about. @default 1 */
  readonly inputScale?: (place: Place, asked?: NoiseLevel) => number;
  readonly move: (call: Call<T>) => Move | Promise<Move>;
  readonly predict: (output: Output<T>) => Answer<T> | Promise<Answer<T>>;
  /** For undoStep, of RePaint: the levels on the way back up from t, each as alpha x + sigma noise. */
  readonly undo?: (t: number) => readonly NoiseLevel[];
  /**
   * Whether the network sees the state that the solver asks about, which addNoiseToInput gives, and not the one that was passed.
   * @default false
   */
  readonly showsQuestions?: boolean;
  /** For addNoise: alpha x0 + sigma noise. */
  readonly noiseLevel?: (place: Place) => NoiseLevel;
  /** For getVelocity: alpha noise - sigma x0. */
  readonly velocityLevel?: (place: Place) => NoiseLevel;
  /** Where noise comes from when step is given none: a Brownian path, say. */
  readonly noise?: NoiseSource;
  /** The same where it depends on what step is given. */
  readonly noiseFrom?: (options: StepOptions<T>) => NoiseSource | undefined;
}

export interface Context<O extends OptionTable, T> {
  readonly config: ConfigOf<O>;
  readonly algebra: Algebra<T>;
  /** Another scheduler of the same states, from a config that was checked to be an object. */
  readonly nested: (config: object) => DiffusersScheduler<T>;
}

/** What an author of a scheduler class states. */
export interface SchedulerDefinition<O extends OptionTable> {
  /** The name of the Python class. */
  readonly name: string;
  /** Calls of step for each step of the solver, as pipelines use it. @default 1 */
  readonly order?: number;
  readonly options: O;
  /** Which options set_timesteps takes. @default the number of steps only */
  readonly timestepsOptions?: readonly (keyof TimestepsOptions)[];
  /** Which options step takes. @default none */
  readonly stepOptions?: readonly (keyof StepOptions<unknown>)[];
  /** Tables that depend on the config alone, then schedules: before setTimesteps without a request. */
  readonly create: <T>(context: Context<O, T>) => (request?: TimestepsOptions) => Schedule<T>;
}

/** A scheduler class, whatever its options. */
export type SchedulerClass = SchedulerDefinition<OptionTable>;

/** Checks the definition against its own options and forgets their types. */
export function defineScheduler<const O extends OptionTable>(definition: SchedulerDefinition<O>): SchedulerClass {
  return Object.freeze(definition) as unknown as SchedulerClass;
}
