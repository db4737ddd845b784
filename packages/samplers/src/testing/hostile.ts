import {
  defineDenoiser,
  type Denoiser,
  type NoiseLevel,
  type NoiseSource,
  type RunOptions,
  type RunProgress,
  type Sampler,
} from '@langevin/core';
import { arrayAlgebra, edm, karras } from '@langevin/core-schedules';
import { threeModes } from '@langevin/core-schedules/testing';
import { UserError } from '@langevin/tensor';
import { imageNoise } from '../noise/image-noise.ts';
import { sample, trajectory } from '../trajectory.ts';
import { demand } from './demand.ts';
import { withParts } from './with-parts.ts';

const START = Float64Array.of(60, -20);
const levelsOf = (steps: number): readonly NoiseLevel[] => karras().levels(edm(), { steps });
const denoiser = (): Denoiser<Float64Array> => withParts(threeModes().denoiser());

type Run = RunOptions<Float64Array>;

const runOf = (sampler: Sampler): Run => ({
  sampler,
  denoise: denoiser(),
  x: START.slice(),
  levels: levelsOf(5),
  noise: imageNoise({ seed: 3 }),
});

const same = (a: ArrayLike<number>, b: ArrayLike<number>): boolean =>
  a.length === b.length && Array.from(a).every((value, i) => Object.is(value, b[i]));

/** Throws unless a promise is rejected with a UserError that holds the text. */
export async function refused(outcome: () => Promise<unknown>, text: string): Promise<void> {
  const error: unknown = await outcome().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  demand(
    error instanceof UserError && error.message.includes(text),
    `expected a UserError with "${text}", got ${error === undefined ? 'a result' : String(error)}`,
  );
}

/** What JavaScript passes where a value is missing or another was meant. */
const STRANGERS: readonly unknown[] = [null, 0, 'heun', [], {}, () => undefined];

/** Every part of a run in turn is something else. */
export async function strangerCheck(sampler: Sampler): Promise<void> {
  const run = runOf(sampler);
  const replaced = (part: string, value: unknown): Promise<unknown> => sample({ ...run, [part]: value } as unknown as Run);
  for (const value of STRANGERS) {
    for (const part of ['sampler', 'denoise', 'levels', 'noise', 'algebra', 'signal', 'resume', 'x', 'startAt'] as const) {
      // A function is a denoiser, until it is asked; 0 is a step to start from.
      if ((part === 'denoise' && typeof value === 'function') || (part === 'startAt' && value === 0)) continue;
      await refused(() => replaced(part, value), '[samplers/');
    }
  }
  await refused(
    () =>
      replaced(
        'denoise',
        withParts<Float64Array>(defineDenoiser<Float64Array>({ nfe: 1, denoise: () => Promise.resolve(undefined as never) })),
      ),
    'at step 1 of 5',
  );
  await refused(() => replaced('x', Float64Array.of(1, Number.NaN)), 'x cannot be used as a state: element 1 is NaN');
  for (const value of [null, undefined, 3] as never[]) await refused(() => sample(value), '[samplers/');
  const holes = [...run.levels];
  delete holes[2];
  for (const [levels, text] of [
    [holes, 'levels[2]=undefined'],
    [[run.levels[0], null, run.levels[5]], 'levels[1]=null'],
    [[run.levels[0], { sigma: 1 }, run.levels[5]], 'levels[1]={ alpha: undefined, sigma: 1 }'],
    [[run.levels[0], { alpha: '1', sigma: 1 }, run.levels[5]], 'levels[1]={ alpha: "1", sigma: 1 }'],
    [[...run.levels].reverse(), 'must be strictly decreasing'],
  ] as const)
    await refused(() => replaced('levels', levels), text);
}

/** Noise that is no noise is the fault of its source, in whichever step it is drawn. */
export async function badNoiseCheck(sampler: Sampler): Promise<void> {
  const run = runOf(sampler);
  const good = run.noise!;
  let draws = 0;
  const spoiled = (nth: number, spoil: (z: Float64Array) => unknown): NoiseSource => {
    draws = 0;
    return {
      ...good,
      draw: async (request) => {
        const z = await good.draw(request);
        return draws++ === nth ? (spoil(z as unknown as Float64Array) as typeof z) : z;
      },
    };
  };
  const whole = await sample({ ...run, noise: spoiled(-1, (z) => z) });
  const count = draws;
  for (const nth of new Set([0, count - 1])) {
    for (const [spoil, text] of [
      [(z: Float64Array) => z.map(() => Number.NaN), 'element 0 is NaN'],
      [(z: Float64Array) => z.map((value, i) => (i === 1 ? Infinity : value)), 'element 1 is Infinity'],
      [(z: Float64Array) => z.slice(1), 'length 1, expected 2'],
      [() => null, 'it is not a Float32Array or Float64Array: null'],
    ] as const)
      await refused(() => sample({ ...run, noise: spoiled(nth, spoil) }), text);
  }
  demand(same(await sample(run), whole), 'after runs with noise that was refused, a run ends elsewhere than before them');
}

/** A call that fails changes nothing: what was yielded before it goes on as if it had never been. */
export async function failureCheck(sampler: Sampler): Promise<void> {
  const run = runOf(sampler);
  let calls = 0;
  const failing = (nth: number): Denoiser<Float64Array> =>
    withParts<Float64Array>(
      defineDenoiser<Float64Array>({
        nfe: 1,
        denoise: (x, at) => (calls++ === nth ? Promise.resolve(new Float64Array(3)) : run.denoise(x, at)),
      }),
    );
  const whole = await sample({ ...run, denoise: failing(-1) });
  const count = calls;
  for (const nth of new Set([0, 1, 2, Math.floor(count / 2), count - 1].filter((each) => each < count))) {
    calls = 0;
    let last: RunProgress<Float64Array> | undefined;
    await refused(async () => {
      for await (const step of trajectory({ ...run, denoise: failing(nth) })) last = step;
    }, 'length 3, expected 2');
    const end = await sample(last === undefined ? run : { ...run, resume: last });
    demand(
      same(end, whole),
      `after call ${nth + 1} failed and was made again the run ends at (${end.join(', ')}), without it at (${whole.join(', ')})`,
    );
  }
}

/** One value of a sampler and one source of noise serve any number of runs, also at the same time. */
export async function sharedCheck(sampler: Sampler): Promise<void> {
  const run = runOf(sampler);
  const whole = await sample(run);
  const [a, b] = [trajectory(run), trajectory({ ...run, x: START.map((value) => -value) })];
  let end: Float64Array | undefined;
  for await (const { x } of a) {
    end = x;
    await b.next();
  }
  demand(same(end!, whole), `beside another run it ends at (${end!.join(', ')}), alone at (${whole.join(', ')})`);
  const again = await sample(run);
  demand(same(again, whole), `the second run ends at (${again.join(', ')}), the first at (${whole.join(', ')})`);
}

/** JSON makes objects of typed arrays, and null of NaN: a state that went through it is refused, and what is damaged is named. */
export async function damagedResumeCheck(sampler: Sampler): Promise<void> {
  const run = runOf(sampler);
  const all: RunProgress<Float64Array>[] = [];
  for await (const step of trajectory(run)) all.push(step);
  for (const { step, x, nfe, state } of all.slice(0, 3)) {
    const whole = { step, x, nfe, state };
    const resumed = (resume: unknown): Promise<unknown> => sample({ ...run, resume } as unknown as Run);
    await refused(() => resumed(JSON.parse(JSON.stringify(whole))), 'resume.x cannot be used as a state');
    await refused(() => resumed({ ...whole, step: 1.5 }), 'resume.step is out of range: resume.step=1.5');
    await refused(() => resumed({ ...whole, nfe: null }), 'resume.nfe is out of range: resume.nfe=null');
    await refused(() => resumed({ ...whole, x: x.map(() => Number.NaN) }), 'resume.x cannot be used as a state: element 0 is NaN');
    for (const wrong of [undefined, null, {}, { history: {}, values: {}, numbers: {} }])
      await refused(() => resumed({ ...whole, state: wrong }), 'wrong kind of option: resume.state=');
    const damaged: unknown = JSON.parse(JSON.stringify(state));
    const plain = state.history.length === 0 && Object.keys(state.values).length === 0;
    if (!plain) await refused(() => resumed({ ...whole, state: damaged }), '[samplers/trajectory] resume.state.');
  }
}

/** Levels of the sampler's own fall, and lead to an end, for any number of steps. */
export async function ownLevelsCheck(sampler: Sampler, levels: (steps: number) => readonly NoiseLevel[]): Promise<void> {
  for (let steps = 1; steps <= 16; steps++) {
    const over = levels(steps);
    demand(over.length === steps + 1, `${over.length} levels for ${steps} steps`);
    const end = await sample({ ...runOf(sampler), levels: over, algebra: arrayAlgebra({ items: 2 }) });
    demand(end.every(Number.isFinite), `ends at (${end.join(', ')}) in ${steps} steps over its own levels`);
  }
}

/** Options that are none. */
export function optionsCheck(make: (options?: never) => Sampler): void {
  for (const value of [null, 1, 'x', [], true] as never[]) {
    let error: unknown;
    try {
      make(value);
    } catch (reason) {
      error = reason;
    }
    demand(
      error instanceof UserError && error.message.includes('options are an object'),
      `options=${String(value)} are not refused: ${error === undefined ? 'a sampler was made' : String(error)}`,
    );
  }
  make(undefined);
}
