import type { Algebra } from '@langevin/core';
import { arrayAlgebra } from '@langevin/core-schedules';
import { UnsupportedError, UserError } from '@langevin/tensor';
import type { StepOptions } from '../../compat/call-options.ts';
import type { DiffusersScheduler } from '../../compat/diffusers-scheduler.ts';
import { fromDiffusersConfig } from '../../compat/from-config.ts';
import { changedSample, networkOutput, noiseOf, patternGenerator, startState } from './formulas.ts';
import { difference } from './golden-case.ts';
import { makeCall, noiseKind, stepOptionsOf, timestepsOptionsOf } from './golden-call.ts';

/** A state, or the number of the call that raises with the state before it. */
export type Outcome = readonly number[] | { readonly raises: number; readonly state?: readonly number[] };

/** A scheduler of diffusers driven as its users do; tooling/parity/scheduler_runs_golden.py says how. */
export interface GoldenLife {
  readonly class: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** Arguments of set_timesteps, and of an earlier call whose run is left in the middle. */
  readonly set: Readonly<Record<string, unknown>>;
  readonly first?: Readonly<Record<string, unknown>>;
  readonly step?: Readonly<Record<string, unknown>>;
  /** Before set_timesteps: number of timesteps, first and last of them. */
  readonly before: { readonly timesteps: readonly number[]; readonly init: number };
  /** The first call without set_timesteps. */
  readonly early: Outcome;
  /** A plain loop over the timesteps, and another one that goes on with the same noise. */
  readonly final: Outcome;
  readonly again: Outcome;
  /** A loop whose sample is changed between any two calls. */
  readonly changed: Outcome;
  /** add_noise at the timestep `at`, 500 when absent. */
  readonly at?: number;
  readonly noised: Outcome;
  /** batch_step_no_noise from the first timestep for one item and the last for the other, of the parallel classes. */
  readonly batch?: Outcome;
  /** step_index at the end of the first loop. */
  readonly stepIndex?: number;
  /** Draws of noise in all. */
  readonly draws: number;
  readonly own: number;
}

export interface GoldenLifeFile {
  readonly shape: readonly [items: number, ...rest: number[]];
  readonly cases: readonly GoldenLife[];
}

/** What the caller gets wrong before each call: nothing, or an output of another size, which is refused and followed by the right one. */
export type Care = 'careful' | 'careless';

/** The same life here. */
export type Life = Pick<GoldenLife, 'before' | 'early' | 'final' | 'again' | 'changed' | 'noised' | 'draws'> & {
  readonly stepIndex: number | undefined;
  readonly batch: Outcome;
};

/** @param size elements of a state of two items */
export async function liveLife(golden: GoldenLife, { size, care }: { readonly size: number; readonly care: Care }): Promise<Life> {
  const algebra = arrayAlgebra({ items: 2 }) as unknown as Algebra<Float64Array>;
  const make = () => fromDiffusersConfig({ _class_name: golden.class, ...golden.config }, { algebra });
  const scheduler = make();
  const { timesteps, initNoiseSigma: init } = scheduler;
  const before = { timesteps: timesteps.length === 0 ? [] : [timesteps.length, timesteps[0]!, timesteps.at(-1)!], init };
  const early = await loop(make(), { golden, size, care, source: patternGenerator(), most: 1, changes: false });
  const source = patternGenerator();
  const given = { golden, size, care, source };
  const set = timestepsOptionsOf(golden.set);
  const three = golden.set['num_inference_steps'] === undefined ? set : { ...set, numInferenceSteps: 3 };
  scheduler.setTimesteps(golden.first === undefined ? three : timestepsOptionsOf(golden.first));
  await loop(scheduler, { ...given, most: 2, changes: false });
  scheduler.setTimesteps(set);
  const final = await loop(scheduler, { ...given, changes: false });
  const { stepIndex } = scheduler;
  scheduler.setTimesteps(set);
  const again = await loop(scheduler, { ...given, changes: false });
  scheduler.setTimesteps(set);
  const changed = await loop(scheduler, { ...given, changes: true });
  scheduler.setTimesteps(set);
  const noised = await refusal(() => scheduler.addNoise(startState(size), noiseOf(0, size), golden.at ?? 500));
  const x = startState(size);
  const learned = String(golden.config['variance_type'] ?? '').startsWith('learned');
  const output = networkOutput(x, 0, learned ? size / 2 : 0);
  const ends = [scheduler.timesteps[0]!, scheduler.timesteps.at(-1)!];
  const batch = await refusal(() => scheduler.batchStepNoNoise(output, ends, x));
  return { batch, before, early, final, again, changed, noised, draws: source.drawn(), stepIndex };
}

interface Loop {
  readonly golden: GoldenLife;
  readonly size: number;
  readonly care: Care;
  readonly source: ReturnType<typeof patternGenerator>;
  readonly most?: number;
  readonly changes: boolean;
}

async function loop(
  scheduler: DiffusersScheduler<Float64Array>,
  { golden, size, care, source, most = Infinity, changes }: Loop,
): Promise<Outcome> {
  let x: Float64Array = startState(size).map((value) => value * scheduler.initNoiseSigma);
  const kind = noiseKind(scheduler);
  const options = stepOptionsOf(golden.step ?? {});
  // Before setTimesteps a class may have no timesteps: then there is nothing to call.
  if (scheduler.timesteps.length === 0) return { raises: 0 };
  for (let place = 0; place < Math.min(most, scheduler.timesteps.length); place++) {
    const noise = noiseOptions(kind, { source, size });
    const sample = changes && place > 0 ? changedSample(x) : x;
    try {
      x = await makeCall({
        scheduler,
        place,
        sample,
        noise,
        options,
        ...(changes ? { change: changedSample } : {}),
        ...(care === 'careless' ? { before: refusedOnce } : {}),
      });
    } catch (error) {
      // Only what is said on purpose is a refusal; any other error is a fault of ours.
      if (!(error instanceof UserError || error instanceof UnsupportedError)) throw error;
      return place === 0 ? { raises: 0 } : { raises: place, state: [...x] };
    }
  }
  return [...x];
}

/** A Brownian path asks once for each draw; of a generator's noise the pattern's own. */
function noiseOptions(
  kind: ReturnType<typeof noiseKind>,
  { source, size }: { readonly source: ReturnType<typeof patternGenerator>; readonly size: number },
): StepOptions<Float64Array> {
  if (kind === 'generator') return { generator: source.generator };
  return kind === 'path' ? { noise: source.generator.normal(size) as unknown as Float64Array } : {};
}

/** Gives step an output that is three times too long, and demands that it is refused. */
async function refusedOnce(step: (output: Float64Array) => Promise<unknown>, output: Float64Array): Promise<void> {
  const wrong = Float64Array.from([...output, ...output, ...output]);
  const refused = await step(wrong).then(
    () => false,
    (error: unknown) => error instanceof UserError,
  );
  if (!refused) throw new Error('an output of the wrong size was not refused');
}

async function refusal(call: () => Float64Array | Promise<Float64Array>): Promise<Outcome> {
  try {
    return [...(await call())];
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { raises: 0 };
  }
}

/** How far two outcomes are apart, relative to the largest element; Infinity where only one of them raises. */
export function outcomeDifference(ours: Outcome, theirs: Outcome): number {
  const [a, b] = [parts(ours), parts(theirs)];
  return a.raises === b.raises ? difference(a.state, b.state) : Infinity;
}

const parts = (outcome: Outcome): { readonly raises: number | undefined; readonly state: readonly number[] } =>
  'raises' in outcome ? { raises: outcome.raises, state: outcome.state ?? [] } : { raises: undefined, state: outcome };
