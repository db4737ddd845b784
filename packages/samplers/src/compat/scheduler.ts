import { type Algebra, type NoiseLevel, relativeSigma, type SamplerState } from '@langevin/core';
import { showEntry } from '@langevin/tensor/fields';
import type { StepOptions, TimestepsOptions } from './call-options.ts';
import { checkForms, checkRequest, checkStepOptions, checkTime, checkTimes, refuse } from './check-call.ts';
import { readConfig } from './config.ts';
import type { DiffusersScheduler, StepResult } from './diffusers-scheduler.ts';
import { resumeStep, type OpenStep } from './open-step.ts';
import type { Answer, Call, Move, Place, Schedule, SchedulerClass } from './scheduler-class.ts';
import { stepNoise } from './step-noise.ts';
import type { Question } from './stepping.ts';
import { singleLevel } from './x0.ts';

/** Everything that calls change: a value, replaced as a whole when a call has succeeded. */
interface Run<T> {
  readonly schedule: Schedule<T>;
  /** Whether setTimesteps has made it. */
  readonly set: boolean;
  readonly stepIndex?: number;
  readonly beginIndex?: number;
  /** Where the run began, if that was looked up by its timestep. */
  readonly foundAt?: number;
  /** Options of the first call. */
  readonly first?: StepOptions<T>;
  /** Where addNoiseToInput has led. */
  readonly raised?: { readonly t: number; readonly at: NoiseLevel };
  /** A step of the solver that waits for another model output, the level that it asks about, and what it is to draw in all. */
  readonly open?: { readonly step: OpenStep<T>; readonly asked: Question<T>; readonly move: Move };
  /** What the solver remembers from step to step. */
  readonly state?: SamplerState<T>;
}

export interface CreateOptions<T> {
  readonly given: Readonly<Record<string, unknown>>;
  readonly algebra: Algebra<T>;
  readonly nested: (config: object) => DiffusersScheduler<T>;
}

export function createScheduler<T>(definition: SchedulerClass, { given, algebra, nested }: CreateOptions<T>): DiffusersScheduler<T> {
  const { name, timestepsOptions = ['numInferenceSteps'], stepOptions = [], unset = 'refused' } = definition;
  const { config, unknownKeys } = readConfig(name, definition.options, given);
  const scheduleFor = definition.create<T>({ config, algebra, nested });
  // Made when first asked for: most callers set their timesteps at once.
  let current: Run<T> | undefined;
  const run = (): Run<T> => (current ??= { schedule: scheduled(name, scheduleFor()), set: false });
  let busy = false;

  /** Keeps the run that a call leads to, unless setTimesteps has begun another one meanwhile. */
  const commit = (before: Run<T>, after: Run<T>): void => {
    if (current === before) current = after;
  };
  /** One call at a time: two that overlap would both begin where the first does. */
  const alone = async <R>(call: () => Promise<R>): Promise<R> => {
    if (busy) refuse(name, 'the call before has not ended: calls=2. Await each call before the next one.');
    busy = true;
    try {
      return await call();
    } finally {
      busy = false;
    }
  };
  const lookUp = (schedule: Schedule<T>, t: number): number => {
    const { missing = 'refuse', timesteps } = schedule;
    if (missing === 'by-timestep') return -1;
    const first = timesteps.indexOf(t);
    if (first < 0)
      return missing === 'last'
        ? timesteps.length - 1
        : refuse(name, `the timestep is not one of this run: t=${t}. Pass one of scheduler.timesteps.`);
    // A timestep that stands twice is met at its second place, so that no sigma is skipped by a start in the middle.
    const second = timesteps.indexOf(t, first + 1);
    return second < 0 ? first : second;
  };
  const beginsBy = (): 'index' | 'timestep' => {
    const { missing, countFrom } = run().schedule;
    return missing === 'by-timestep' && countFrom === undefined ? 'timestep' : 'index';
  };
  /** The number of a call, where the class counts them. */
  const indexAt = ({ schedule, stepIndex, beginIndex }: Run<T>, t: number): number | undefined => {
    if (schedule.missing === 'by-timestep' && schedule.countFrom === undefined) return undefined;
    return stepIndex ?? beginIndex ?? schedule.countFrom?.(t) ?? lookUp(schedule, t);
  };
  /** A run whose next call has this number; the first number is kept where it was looked up. */
  const counted = (before: Run<T>, { index, next }: { readonly index: number; readonly next: number }): Partial<Run<T>> => ({
    stepIndex: next,
    ...(before.stepIndex === undefined && before.beginIndex === undefined && { foundAt: index }),
  });
  /** A place whose index is looked up only where a class asks for it. */
  const placeOf = ({ schedule, stepIndex, beginIndex }: Run<T>, t: number): Place => ({
    t,
    get index() {
      if (schedule.missing === 'by-timestep' || beginIndex === undefined) return lookUp(schedule, t);
      return stepIndex ?? beginIndex;
    },
  });
  const callAt = ({ schedule, first, raised, ...rest }: Run<T>, t: number, options: StepOptions<T>): Call<T> => ({
    t,
    index: schedule.missing === 'by-timestep' ? -1 : indexAt({ schedule, ...rest }, t)!,
    options,
    first: first ?? options,
    raised: raised?.t === t ? raised.at : undefined,
  });
  const noiseOf = (schedule: Schedule<T>, call: Call<T>) =>
    stepNoise({ algebra, options: call.options, own: schedule.noiseFrom?.(call) ?? schedule.noise, name, step: Math.max(0, call.index) });

  const begin = ({ state: kept }: Run<T>, move: Move, sample: T): OpenStep<T> => {
    const { sampler, from, to, index = 0, levels = [from, to], forgets = false, pastLevels = [] } = move;
    let state = kept;
    if (state === undefined || forgets) {
      const zero = algebra.linear([0, sample]);
      const initial = sampler.init<T>();
      state = { ...initial, history: [...initial.history, ...pastLevels.map((at) => ({ at, x: zero, denoised: zero }))] };
    }
    return { sampler, input: { x: sample, from, to, index, levels, algebra, state }, answers: [], drawn: [] };
  };

  /** The result of a call and the run after it. */
  const advance = async (
    before: Run<T>,
    { modelOutput, sample, call }: { readonly modelOutput: T; readonly sample: T; readonly call: Call<T> },
  ): Promise<{ readonly result: StepResult<T>; readonly after: Run<T> }> => {
    const { schedule } = before;
    const move = before.open?.move ?? (await schedule.move(call));
    const open = before.open?.step ?? begin(before, move, sample);
    const noise = noiseOf(schedule, call);
    if (before.open === undefined) await noise.drop(sample, move.unusedDraws ?? 0);
    /** What noise is drawn for: the sample, or the prediction where the class has resized it. */
    let like = sample;
    const step = await resumeStep(open, async (interval) => {
      if (move.silent !== true) return noise.draw(like, interval);
      await noise.drop(like, 1);
      return algebra.linear([0, like]);
    });
    const { question } = step;
    const later = open.answers.length === 0 ? 'ignored' : (schedule.later ?? 'slope');
    const seen = later === 'ignored' ? question : { ...question, x: sample };
    const prediction = await schedule.predict({ modelOutput, question: seen, sample, call });
    if (algebra.size(prediction.denoised) !== algebra.size(sample)) like = prediction.denoised;
    const told = later === 'slope' ? sameSlope(algebra, { prediction, question, sample }) : prediction;
    const turn = await step.answer(told);
    const prevSample = 'question' in turn ? turn.question.x : turn.output.x;
    const predOriginalSample = prediction.shown ?? prediction.denoised;
    const drawn = step.drawn();
    const kept = 'question' in turn ? [told.denoised, ...drawn] : [];
    await algebra.realize([prevSample, predOriginalSample, ...kept]);
    checkResult(name, algebra, { prevSample, t: call.t });
    if ('output' in turn) await noise.drop(like, Math.max(0, (move.draws ?? 0) - drawn.length));
    const { open: _open, raised: _raised, ...rest } = before;
    const index = indexAt(before, call.t);
    const after = { ...rest, first: call.first, ...(index === undefined ? {} : counted(before, { index, next: index + 1 })) };
    if ('output' in turn) {
      const state = turn.output.state ?? open.input.state;
      return { result: { prevSample, predOriginalSample }, after: { ...after, state } };
    }
    const waiting = { step: { ...open, answers: [...open.answers, told], drawn }, asked: turn.question, move };
    return { result: { prevSample, predOriginalSample }, after: { ...after, open: waiting } };
  };

  const checkOutput = ({ learnsVariance = false }: Schedule<T>, sample: T, modelOutput: T): void => {
    checkForms(name, algebra, learnsVariance ? { sample } : { sample, modelOutput });
    if (learnsVariance) checkForms(name, algebra, { modelOutput });
  };

  const mix = (
    given: { readonly x0: T; readonly noise: T; readonly timesteps: number | readonly number[] },
    {
      method,
      level,
      terms,
    }: {
      readonly method: string;
      readonly level: ((place: Place) => NoiseLevel) | undefined;
      readonly terms: (at: NoiseLevel) => readonly [x0: number, noise: number];
    },
  ): T => {
    const { x0, noise, timesteps } = given;
    if (level === undefined)
      return refuse(
        name,
        `the class has no such call, nor has its Python twin: call=${method}. Take another class, such as DDIMScheduler.`,
      );
    checkForms(name, algebra, { x0, noise });
    const pairs = checkTimes(name, timesteps, algebra.items(x0)).map((t) => terms(level(placeOf(run(), t))));
    if (typeof timesteps === 'number') return algebra.linear([pairs[0]![0], x0], [pairs[0]![1], noise]);
    return algebra.linear([pairs.map(([first]) => first), x0], [pairs.map(([, second]) => second), noise]);
  };

  const scheduler: DiffusersScheduler<T> = {
    className: name,
    config,
    unknownKeys,
    order: definition.order ?? 1,
    stepOptions,
    get timesteps() {
      return run().schedule.timesteps;
    },
    get sigmas() {
      return run().schedule.sigmas;
    },
    get initNoiseSigma() {
      return run().schedule.initNoiseSigma;
    },
    get stepIndex() {
      return run().stepIndex;
    },
    get beginIndex() {
      return run().beginIndex;
    },
    setTimesteps: (steps) => {
      const request: TimestepsOptions = checkRequest(name, steps, timestepsOptions);
      current = { schedule: scheduled(name, scheduleFor(request)), set: true };
    },
    get beginsBy() {
      return beginsBy();
    },
    setBeginIndex: (index) => {
      const { length } = run().schedule.timesteps;
      if (beginsBy() === 'timestep')
        refuse(
          name,
          'the class has no setBeginIndex, as its Python twin has none: it knows places by their timestep. Begin at any of them.',
        );
      if (!Number.isInteger(index) || index < 0 || index >= length)
        refuse(name, `the run begins at one of its ${length} timesteps: index=${showEntry(index)}. Pass 0..${length - 1}.`);
      current = { ...run(), beginIndex: index };
    },
    scaleModelInput: (sample, t) => {
      const before = run();
      const { inputScale, missing } = before.schedule;
      checkForms(name, algebra, { sample });
      const time = checkTime(name, t);
      if (inputScale === undefined) return sample;
      if (missing === 'by-timestep') return algebra.linear([inputScale({ t: time, index: -1 }), sample]);
      const stepIndex = indexAt(before, time)!;
      checkNotOver(name, before, stepIndex);
      const asked = before.open === undefined ? undefined : singleLevel(before.open.asked.at);
      const scaled = algebra.linear([inputScale({ t: time, index: stepIndex }, asked), sample]);
      current = { ...before, ...counted(before, { index: stepIndex, next: stepIndex }) };
      return scaled;
    },
    // eslint-disable-next-line @typescript-eslint/max-params -- Python's own order, so that its code moves across
    step: (modelOutput, t, sample, options = {}) =>
      alone(async () => {
        const before = run();
        const { schedule } = before;
        checkTime(name, t);
        checkOutput(schedule, sample, modelOutput);
        checkStepOptions(name, options, { method: 'step', known: stepOptions, algebra, sample });
        if (!before.set && unset === 'refused')
          refuse(name, 'the run has no timesteps yet: setTimesteps was not called. Call it first, as in Python.');
        if (before.open !== undefined) checkForms(name, algebra, { 'the sample of the first call': before.open.step.input.x, sample });
        const call = callAt(before, t, options);
        if (schedule.missing !== 'by-timestep') checkNotOver(name, before, call.index);
        if (schedule.raise !== undefined && before.open === undefined && call.raised === undefined)
          refuse(name, `step is given the state that addNoiseToInput makes: t=${t}. Call addNoiseToInput first, as in Python.`);
        const { result, after } = await advance(before, { modelOutput, sample, call });
        commit(before, after);
        return result;
      }),
    addNoise: (x0, noise, timesteps) =>
      mix({ x0, noise, timesteps }, { method: 'addNoise', level: run().schedule.noiseLevel, terms: ({ alpha, sigma }) => [alpha, sigma] }),
    scaleNoise: (x0, t, noise) => scheduler.addNoise(x0, noise, t),
    getVelocity: (x0, noise, timesteps) =>
      mix(
        { x0, noise, timesteps },
        { method: 'getVelocity', level: run().schedule.velocityLevel, terms: ({ alpha, sigma }) => [-sigma, alpha] },
      ),
    addNoiseToInput: (sample, t, options = {}) =>
      alone(async () => {
        const before = run();
        const { raise } = before.schedule;
        if (raise === undefined) return refuse(name, 'the class has no addNoiseToInput. Its Python twin has none either.');
        checkTime(name, t);
        checkForms(name, algebra, { sample });
        checkStepOptions(name, options, { method: 'addNoiseToInput', known: stepOptions, algebra, sample });
        // Between the two calls of a step there is no noise to add: the second looks at where the first led.
        if (before.open !== undefined) return { sampleHat: sample, sigmaHat: relativeSigma(singleLevel(before.open.asked.at)) };
        const call = callAt(before, t, options);
        const { at, noise } = raise(call);
        const source = noiseOf(before.schedule, call);
        if (noise === 0) await source.drop(sample, 1);
        const sampleHat = noise === 0 ? sample : algebra.linear([1, sample], [noise, await source.draw(sample, { from: at, to: at })]);
        await algebra.realize([sampleHat]);
        commit(before, { ...before, raised: { t, at } });
        return { sampleHat, sigmaHat: relativeSigma(at) };
      }),
    undoStep: async (sample, t, options = {}) => {
      const { schedule } = run();
      if (schedule.undo === undefined) return refuse(name, 'the class has no undoStep. Its Python twin has none either.');
      checkForms(name, algebra, { sample });
      checkStepOptions(name, options, { method: 'undoStep', known: ['generator', 'noise'], algebra, sample });
      const noise = noiseOf(schedule, callAt(run(), t, options));
      let x = sample;
      for (const level of schedule.undo(checkTime(name, t)))
        x = algebra.linear([level.alpha, x], [level.sigma, await noise.draw(x, { from: level, to: level })]);
      return x;
    },
    batchStepNoNoise: async (modelOutput, timesteps, sample) => {
      const { schedule, set } = run();
      if (schedule.withoutNoise === undefined) return refuse(name, 'the class has no batchStepNoNoise. Its Python twin has none either.');
      checkOutput(schedule, sample, modelOutput);
      if (!set && unset === 'refused')
        refuse(name, 'the run has no timesteps yet: setTimesteps was not called. Call it first, as in Python.');
      return schedule.withoutNoise({ modelOutput, sample, timesteps: checkTimes(name, [timesteps].flat(), algebra.items(sample)) });
    },
  };
  return Object.freeze(scheduler);
}

/** A schedule with lists that nobody can change. @throws UserError where a table holds what is no number */
function scheduled<T>(name: string, schedule: Schedule<T>): Schedule<T> {
  for (const [what, list] of [
    ['timesteps', schedule.timesteps],
    ['sigmas', schedule.sigmas],
  ] as const) {
    const wrong = list.findIndex((value) => !Number.isFinite(value));
    if (wrong >= 0)
      refuse(
        name,
        `the run has no finite ${what}: ${what}[${wrong}]=${list[wrong]}. Look at the ends of the noise levels in the config, and at the `
          + 'number of steps.',
      );
  }
  return { ...schedule, timesteps: Object.freeze([...schedule.timesteps]), sigmas: Object.freeze([...schedule.sigmas]) };
}

function checkNotOver<T>(name: string, { schedule: { timesteps }, foundAt }: Run<T>, index: number): void {
  if (index < timesteps.length) return;
  const places = foundAt === undefined ? [] : [...timesteps.keys()].filter((i) => timesteps[i] === timesteps[foundAt]);
  if (places.length > 1) {
    const shown = `${places.slice(0, 4).join(', ')}${places.length > 4 ? ', ...' : ''}`;
    refuse(
      name,
      `the run of ${timesteps.length} timesteps is over: stepIndex=${index}. Its first timestep ${timesteps[foundAt!]} stands at ${shown}, `
        + `and it began at ${foundAt}, as in Python. Say where to begin with setBeginIndex, after setTimesteps.`,
    );
  }
  refuse(name, `the run of ${timesteps.length} timesteps is over: stepIndex=${index}. Call setTimesteps to begin another.`);
}

/** What gives a solver the slope of the given sample at the state that it asks about: (x - D) / alpha is the same there. */
function sameSlope<T>(
  algebra: Algebra<T>,
  { prediction, question, sample }: { readonly prediction: Answer<T>; readonly question: Question<T>; readonly sample: T },
): Answer<T> {
  if (sample === question.x) return prediction;
  const { alpha } = singleLevel(question.at);
  const denoised = algebra.linear([1, prediction.denoised], [1 / alpha, question.x], [-1 / alpha, sample]);
  return { ...prediction, denoised, shown: prediction.shown ?? prediction.denoised };
}

/** Where it costs nothing to see: a step that divides by zero must not pass as an image. */
function checkResult<T>(name: string, algebra: Algebra<T>, { prevSample, t }: { readonly prevSample: T; readonly t: number }): void {
  const complaint = algebra.complaint(prevSample, prevSample);
  if (complaint === undefined) return;
  refuse(
    name,
    `the step has no finite result: ${complaint}, t=${t}. Take fewer steps, another final_sigmas_type, or a lower order in the config.`,
  );
}
