import type { StepOptions, TimestepsOptions } from './call-options.ts';

export interface StepResult<T> {
  /** The sample for the next call. */
  readonly prevSample: T;
  /** The x0-prediction of this call, clipped or thresholded where the config says so. */
  readonly predOriginalSample: T;
}

/**
 * A scheduler with diffusers' stepping interface. As there, it is mutable: setTimesteps begins a run, and step goes through it in order.
 * A call that throws changes nothing: the same call with what is right goes on as if the wrong one had not been made.
 */
export interface DiffusersScheduler<T> {
  /** The Python class: "EulerDiscreteScheduler". */
  readonly className: string;
  /** The config with defaults filled in, by diffusers' keys. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Keys of the given config that the class does not know and that had no effect. */
  readonly unknownKeys: readonly string[];
  /** Calls of step for each step of the method, by which image-to-image pipelines multiply their start. */
  readonly order: number;
  /** The options that step takes. */
  readonly stepOptions: readonly (keyof StepOptions<T>)[];
  readonly timesteps: readonly number[];
  readonly sigmas: readonly number[];
  /** The standard deviation that unit noise is multiplied by at the start. */
  readonly initNoiseSigma: number;
  /** Number of the next call of step; undefined before the first, and where the class knows places by their timestep alone. */
  readonly stepIndex: number | undefined;
  readonly beginIndex: number | undefined;
  /** How a run that begins part-way is told where: by {@link setBeginIndex}, or by the timestep of its first step alone. */
  readonly beginsBy: 'index' | 'timestep';
  /** @throws UserError when the options do not go together or are out of range */
  readonly setTimesteps: (steps: number | TimestepsOptions) => void;
  /**
   * Says where in the list of timesteps a run begins, for image-to-image.
   *
   * @throws UserError for a place outside of the run, and where the Python class has no such method: it begins at any timestep
   */
  readonly setBeginIndex: (index: number) => void;
  readonly scaleModelInput: (sample: T, t: number) => T;
  /**
   * Leads `sample` at timestep `t` one call on. The sample may be another than the last call returned, as in inpainting: a step of two
   * calls goes on with it as its Python class does.
   *
   * @throws UserError when the output does not have the form of the sample or holds what is not finite, when the method draws noise and has
   *   none, and after the last step
   */
  // eslint-disable-next-line @typescript-eslint/max-params -- Python's own order, so that its code moves across
  readonly step: (modelOutput: T, t: number, sample: T, options?: StepOptions<T>) => Promise<StepResult<T>>;
  /** One timestep for all, or one for each item. */
  readonly addNoise: (x0: T, noise: T, timesteps: number | readonly number[]) => T;
  /** The same under the name that flows use: sample, timestep, noise. */
  readonly scaleNoise: (x0: T, t: number | readonly number[], noise: T) => T;
  readonly getVelocity: (x0: T, noise: T, timesteps: number | readonly number[]) => T;
  /** Of KarrasVe: the state with noise added, which the network is shown and step is passed, and its level. */
  readonly addNoiseToInput: (
    sample: T,
    t: number,
    options?: StepOptions<T>,
  ) => Promise<{ readonly sampleHat: T; readonly sigmaHat: number }>;
  /** Of RePaint: noises a sample from timestep t back to the one before it. */
  readonly undoStep: (sample: T, t: number, options?: Pick<StepOptions<T>, 'generator' | 'noise'>) => Promise<T>;
  /** Of DDIMParallel and DDPMParallel: a step without noise, from a timestep of its own for each item. It leaves the run as it is. */
  readonly batchStepNoNoise: (modelOutput: T, timesteps: readonly number[], sample: T) => Promise<T>;
}
