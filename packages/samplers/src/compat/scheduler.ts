import { relativeSigma, type Algebra, type NoiseLevel } from '@langevin/core-schedules';
import { InternalError, UserError } from '@langevin/tensor';
import { torchNoise, type NoiseInterval, type NoiseRequest, type NoiseSource } from '../noise.ts';
import type { SamplerState } from '../sampler.ts';
import { MAX_STEPS, readConfig, show } from './config.ts';
import type { Call, Move, Place, Schedule, SchedulerClass, StepOptions, TimestepsOptions } from './scheduler-class.ts';
import { converse, type Conversation, type Question } from './stepping.ts';
import { singleLevel } from './x0.ts';

export interface StepResult<T> {
  /** The sample for the next call. */
  readonly prevSample: T;
  /** The x0-prediction of this call, clipped or thresholded where the config says so. */
  readonly predOriginalSample: T;
}

/**
 * A scheduler with diffusers' stepping interface. As there, it is mutable: setTimesteps begins a run, and step goes through it in order.
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
  /** Number of the next call of step; undefined before the first. */
  readonly stepIndex: number | undefined;
  readonly beginIndex: number | undefined;
  /** @throws UserError when the options do not go together or are out of range */
  readonly setTimesteps: (steps: number | TimestepsOptions) => void;
  /** Says where in the list of timesteps a run begins, for image-to-image. */
  readonly setBeginIndex: (index: number) => void;
  readonly scaleModelInput: (sample: T, t: number) => T;
  /** Leads `sample` at timestep `t` one call on. @throws UserError when the method draws noise and has none, and after the last step */
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
}

/** A step of the solver that waits for its next model output. */
interface Open<T> {
  readonly conversation: Conversation<T>;
  readonly question: Question<T>;
  readonly evaluation: number;
}

export function createScheduler<T>(
  definition: SchedulerClass,
  {
    given,
    algebra,
    nested,
  }: {
    readonly given: Readonly<Record<string, unknown>>;
    readonly algebra: Algebra<T>;
    readonly nested: (config: object) => DiffusersScheduler<T>;
  },
): DiffusersScheduler<T> {
  const { name, timestepsOptions = ['numInferenceSteps'], stepOptions = [] } = definition;
  const { config, unknownKeys } = readConfig(name, definition.options, given);
  const scheduleFor = definition.create<T>({ config, algebra, nested });
  // Made when first asked for: most callers set their timesteps at once.
  let made: Schedule<T> | undefined;
  const schedule = (): Schedule<T> => (made ??= scheduleFor());
  let stepIndex: number | undefined;
  let beginIndex: number | undefined;
  let open: Open<T> | undefined;
  let state: SamplerState<T> | undefined;
  /** Options of the call that is being answered: a step that spans several calls draws from the latest. */
  let current: Call<T>;
  let draws = 0;
  /** What noise is drawn for: the sample, or the prediction where the class has resized it. */
  let like: T;

  const fail = (what: string): never => {
    throw new UserError(`[samplers/compat] ${name}: ${what}`);
  };
  const indexOf = (t: number): number => {
    if (schedule().missing === 'by-timestep') return -1;
    const first = schedule().timesteps.indexOf(t);
    if (first < 0)
      return schedule().missing === 'last'
        ? schedule().timesteps.length - 1
        : fail(`the timestep is not one of this run: t=${t}. Pass one of scheduler.timesteps.`);
    // A timestep that stands twice is met at its second place, so that no sigma is skipped by a start in the middle.
    const second = schedule().timesteps.indexOf(t, first + 1);
    return second < 0 ? first : second;
  };
  const begin = (t: number): number => (stepIndex ??= beginIndex ?? indexOf(t));
  const placeOf = (t: number): Place => ({
    t,
    index: schedule().missing === 'by-timestep' ? -1 : beginIndex === undefined ? indexOf(t) : (stepIndex ?? beginIndex),
  });
  const mix = (
    level: ((place: Place) => NoiseLevel) | undefined,
    what: string,
    timesteps: number | readonly number[],
    terms: (at: NoiseLevel) => readonly [number, number],
    a: T,
    b: T,
  ): T => {
    if (level === undefined) return fail(`the class has no ${what}. Its Python twin has none either.`);
    const pairs = (typeof timesteps === 'number' ? [timesteps] : timesteps).map((t) => terms(level(placeOf(checkTime(name, t)))));
    if (typeof timesteps === 'number') return algebra.linear([pairs[0]![0], a], [pairs[0]![1], b]);
    return algebra.linear([pairs.map(([first]) => first), a], [pairs.map(([, second]) => second), b]);
  };
  const noiseFor =
    ({ from, to, silent = false }: Move) =>
    (interval: NoiseInterval = { from, to }): Promise<T> => {
      if (silent) return Promise.resolve(algebra.linear([0, like]));
      const source = sourceOf(current.options, schedule().noiseFrom?.(current.options) ?? schedule().noise, name);
      return source.draw({ algebra, like, step: Math.max(0, current.index), draw: draws++, interval });
    };

  /** Begins a step of the solver for the current call, up to its first question. */
  const start = async (sample: T): Promise<Open<T>> => {
    const move = await schedule().move(current);
    const { sampler, from, to, index = 0, levels = [from, to], forgets = false, unusedDraws = 0, pastLevels = [] } = move;
    like = sample;
    const noise = noiseFor(move);
    for (let i = 0; i < unusedDraws; i++) await noise();
    if (state === undefined || forgets) {
      const zero = algebra.linear([0, sample]);
      const initial = sampler.init<T>();
      state = { ...initial, history: [...initial.history, ...pastLevels.map((at) => ({ at, x: zero, denoised: zero }))] };
    }
    const conversation = converse<T>(sampler, { x: sample, from, to, index, levels, algebra, state, noise });
    const turn = await conversation.begin();
    if ('output' in turn)
      throw new InternalError(`[samplers/compat] the solver ${sampler.name} ended a step without an evaluation. This is a bug in ours.`);
    return { conversation, question: turn.question, evaluation: 0 };
  };

  const scheduler: DiffusersScheduler<T> = {
    className: name,
    config,
    unknownKeys,
    order: definition.order ?? 1,
    stepOptions,
    get timesteps() {
      return schedule().timesteps;
    },
    get sigmas() {
      return schedule().sigmas;
    },
    get initNoiseSigma() {
      return schedule().initNoiseSigma;
    },
    get stepIndex() {
      return stepIndex;
    },
    get beginIndex() {
      return beginIndex;
    },
    setTimesteps: (steps) => {
      const request = typeof steps === 'number' ? { numInferenceSteps: steps } : steps;
      checkRequest(name, request, timestepsOptions);
      made = scheduleFor(request);
      [stepIndex, beginIndex, open, state] = [undefined, undefined, undefined, undefined];
    },
    setBeginIndex: (index) => {
      if (!Number.isInteger(index) || index < 0 || index >= schedule().timesteps.length)
        fail(
          `the run begins at one of its ${schedule().timesteps.length} timesteps: index=${show(index)}. Pass `
            + `0..${schedule().timesteps.length - 1}.`,
        );
      beginIndex = index;
    },
    scaleModelInput: (sample, t) => {
      const { inputScale } = schedule();
      if (inputScale === undefined) return sample;
      const index = schedule().missing === 'by-timestep' ? -1 : begin(checkTime(name, t));
      return algebra.linear([inputScale({ t, index }, open === undefined ? undefined : singleLevel(open.question.at)), sample]);
    },
    step: async (modelOutput, t, sample, options = {}) => {
      checkTime(name, t);
      checkKeys(name, 'step', options, stepOptions);
      const byTimestep = schedule().missing === 'by-timestep';
      const index = byTimestep ? -1 : begin(t);
      if (!byTimestep && index >= schedule().timesteps.length)
        fail(`the run of ${schedule().timesteps.length} timesteps is over: stepIndex=${index}. Call setTimesteps to begin another.`);
      current = { t, index, options };
      draws = 0;
      const { conversation, question, evaluation } = (open ??= await start(sample));
      open = undefined;
      const prediction = await schedule().predict({ modelOutput, question, sample, call: current, evaluation });
      if (algebra.size(prediction.denoised) !== algebra.size(sample)) like = prediction.denoised;
      const turn = await conversation.answer(prediction);
      if ('question' in turn) open = { conversation, question: turn.question, evaluation: evaluation + 1 };
      else state = turn.output.state ?? state;
      if (!byTimestep) stepIndex = index + 1;
      const prevSample = 'question' in turn ? turn.question.x : turn.output.x;
      const predOriginalSample = prediction.shown ?? prediction.denoised;
      await algebra.realize([prevSample, predOriginalSample]);
      return { prevSample, predOriginalSample };
    },
    addNoise: (x0, noise, timesteps) => mix(schedule().noiseLevel, 'addNoise', timesteps, ({ alpha, sigma }) => [alpha, sigma], x0, noise),
    scaleNoise: (x0, t, noise) => scheduler.addNoise(x0, noise, t),
    addNoiseToInput: async (sample, t, options = {}) => {
      if (schedule().showsQuestions !== true) return fail('the class has no addNoiseToInput. Its Python twin has none either.');
      checkKeys(name, 'addNoiseToInput', options, stepOptions);
      current = { t, index: begin(checkTime(name, t)), options };
      draws = 0;
      open ??= await start(sample);
      return { sampleHat: open.question.x, sigmaHat: relativeSigma(singleLevel(open.question.at)) };
    },
    undoStep: async (sample, t, options = {}) => {
      const { undo } = schedule();
      if (undo === undefined) return fail('the class has no undoStep. Its Python twin has none either.');
      current = { t, index: -1, options };
      draws = 0;
      let x = sample;
      for (const { alpha, sigma } of undo(checkTime(name, t)))
        x = algebra.linear(
          [alpha, x],
          [sigma, await sourceOf(options, undefined, name).draw({ algebra, like: x, step: 0, draw: draws++ })],
        );
      return x;
    },
    getVelocity: (x0, noise, timesteps) =>
      mix(schedule().velocityLevel, 'getVelocity', timesteps, ({ alpha, sigma }) => [-sigma, alpha], x0, noise),
  };
  return Object.freeze(scheduler);
}

/** The noise of a step: what the caller passes, or the class's own path. */
function sourceOf<T>(options: StepOptions<T>, own: NoiseSource | undefined, name: string): NoiseSource {
  const { generator, noise } = options;
  if (generator !== undefined && noise !== undefined)
    throw new UserError(`[samplers/compat] ${name}: noise comes from one place: generator and noise are both given. Pass one of them.`);
  if (generator !== undefined) return torchNoise(generator);
  if (noise !== undefined) return given(noise, name);
  if (own !== undefined) return own;
  throw new UserError(
    `[samplers/compat] ${name}: the step draws noise and has none: generator=undefined, noise=undefined. Pass { generator: `
      + 'torchGenerator(seed) } or { noise }.',
  );
}

function given<S>(noise: S | readonly S[], name: string): NoiseSource {
  return {
    name: 'given',
    draw: <T>({ draw }: NoiseRequest<T>) => {
      const value = Array.isArray(noise) ? (noise as readonly S[])[draw] : draw === 0 ? noise : undefined;
      if (value === undefined)
        throw new UserError(
          `[samplers/compat] ${name}: the step draws more noise than was passed: draw ${draw + 1}. Pass a list with one state for `
            + 'each draw.',
        );
      return Promise.resolve(value as unknown as T);
    },
  };
}

function checkTime(name: string, t: number): number {
  if (typeof t === 'number' && Number.isFinite(t)) return t;
  throw new UserError(`[samplers/compat] ${name}: a timestep is a finite number: t=${show(t)}. Pass one of scheduler.timesteps.`);
}

function checkKeys(name: string, what: string, options: object, known: readonly string[]): void {
  const foreign = Object.entries(options).find(([key, value]) => value !== undefined && !known.includes(key));
  if (foreign === undefined) return;
  throw new UserError(
    `[samplers/compat] ${name}: ${what} does not take this option: ${foreign[0]}. `
      + `${known.length === 0 ? 'It takes none.' : `Known: ${known.join(', ')}.`}`,
  );
}

function checkRequest(name: string, request: TimestepsOptions, known: readonly string[]): void {
  checkKeys(name, 'setTimesteps', request, known);
  for (const [key, value] of Object.entries(request) as [string, unknown][]) {
    if (value === undefined || typeof value === 'boolean' || (value === null && key === 'intermediateTimesteps')) continue;
    const entries = Array.isArray(value) ? (value as unknown[]) : [value];
    const counts = key === 'numInferenceSteps' || key === 'originalInferenceSteps' || key === 'numTrainTimesteps';
    const holds =
      entries.length >= 1
      && entries.length <= MAX_STEPS
      && entries.every(
        (each) =>
          typeof each === 'number' && Number.isFinite(each) && (!counts || (Number.isInteger(each) && each >= 1 && each <= MAX_STEPS)),
      );
    if (!holds)
      throw new UserError(
        `[samplers/compat] ${name}: setTimesteps cannot take this value: ${key}=${show(value)}. Pass `
          + `${counts ? `an integer in 1..${MAX_STEPS}` : 'finite numbers'}.`,
      );
  }
}
