import {
  cpuRasterizer,
  defaultStrategy,
  gaussiansFromPoints,
  mcmcStrategy,
  pictureOf,
  psnr,
  SPLAT_REPORT,
  splatTask,
  strategyByName,
  trainSplats,
  type Rasterizer,
  type SplatScene,
  type SplatState,
  type TrainSplatsOptions,
} from '@langevin/gaussians';
import { readImage } from '@langevin/io/node';
import { counterGenerator, type Generator } from '@langevin/tensor';
import {
  type Artifact,
  checkpointPath,
  loadCheckpoint,
  memoryStore,
  readLog,
  RUN_FILES,
  type RunStore,
  type TrainEvent,
} from '@langevin/training';
import { folderStore, reported } from '@langevin/training/node';
import { checkTask } from '@langevin/training/testing';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { blobs, BUSY, tinyScene } from './tiny-scene.ts';

type Event = TrainEvent<SplatState>;

let rasterizer: Rasterizer;
let scene: SplatScene;
beforeAll(async () => {
  rasterizer = cpuRasterizer({ threads: 1 });
  scene = await tinyScene(rasterizer);
});
afterAll(() => rasterizer.dispose());

async function events(options: Partial<TrainSplatsOptions> & { readonly steps: number }): Promise<readonly Event[]> {
  const all: Event[] = [];
  for await (const event of trainSplats({ scene, rasterizer, degree: 1, strategy: defaultStrategy({ stop: 0 }), ...options }))
    all.push(event);
  return all;
}
const last = (all: readonly Event[]): Event & { readonly kind: 'done' } => all.at(-1) as Event & { readonly kind: 'done' };
const stepsOf = (all: readonly Event[]): readonly (Event & { readonly kind: 'step' })[] => all.filter((event) => event.kind === 'step');
const numbersOf = (all: readonly Event[]): readonly Readonly<Record<string, number>>[] =>
  all.flatMap((event) => (event.kind === 'numbers' ? [event.values] : []));
/** Steps in which the strategy changed something. */
const changesOf = (all: readonly Event[]): readonly number[] =>
  stepsOf(all).flatMap(({ step, measures = {} }) => (['pruned', 'added', 'reset'].some((name) => name in measures) ? [step] : []));

/** A store that has one checkpoint of another, and its configuration. */
async function storeFrom(files: ReadonlyMap<string, Uint8Array>, step: number): Promise<ReturnType<typeof memoryStore>> {
  const store = memoryStore();
  for (const path of [checkpointPath(step), RUN_FILES.config, RUN_FILES.data]) await store.write(path, [files.get(path)!]);
  return store;
}

describe('training', () => {
  it('makes held-out views better, and says what it does', async () => {
    const all = await events({ steps: 300, evaluateEvery: 100, degreeEvery: 100 });
    expect(all[0]).toEqual({ kind: 'start', step: 0, steps: 300, resumed: false, changed: [] });
    const scores = numbersOf(all).map((values) => values['heldOutPsnr']!);
    expect(scores.length).toBe(3);
    expect(scores[2]!).toBeGreaterThan(scores[0]! + 2);
    const steps = stepsOf(all);
    expect(steps.length).toBe(300);
    expect(Object.keys(steps[7]!.measures!).sort()).toEqual(['count', 'l1', 'psnr', 'ssim']);
    expect(last(all)).toMatchObject({ step: 300, reason: 'finished', state: { gaussians: { count: 30, degree: 1 } } });
  });

  it('sees every view once before any comes again, in an order of the seed', async () => {
    const order = async (seed: number): Promise<readonly string[]> => {
      const task = splatTask({ scene, rasterizer, steps: 10, seed });
      let [state, position] = [await task.init(), { epoch: 0, index: 0 }];
      const seen: string[] = [];
      for (let step = 0; step < 10; step++) {
        const random = (): Generator => counterGenerator({ seed, stream: [step] });
        const result = await task.step(state, { step, stream: () => position, random });
        ({ state } = result);
        position = result.streams!['views']!;
        seen.push(...(result.items!['views'] as readonly string[]));
      }
      await task.close?.();
      expect(position).toEqual({ epoch: 2, index: 0 });
      return seen;
    };
    const first = await order(1);
    for (const from of [0, 5]) expect(new Set(first.slice(from, from + 5)).size).toBe(5);
    expect(await order(1)).toEqual(first);
    expect(await order(2)).not.toEqual(first);
  });

  it('resumes to the same bytes wherever it ends, as checkTask asks of every task, also with changes and random backgrounds', async () => {
    const strategy = (): TrainSplatsOptions['strategy'] => defaultStrategy({ ...BUSY, every: 2, resetEvery: 3 });
    const initial = blobs();
    await checkTask(() => splatTask({ scene, rasterizer, steps: 6, degree: 1, initial, strategy: strategy()!, background: 'random' }));
  });

  it('the same seed gives the same bits, another seed others', async () => {
    const run = async (seed: number): Promise<Float32Array> =>
      last(await events({ steps: 25, seed, strategy: mcmcStrategy({ start: 0, every: 5, cap: 50 }) })).state.gaussians.means;
    const first = await run(1);
    expect(await run(1)).toEqual(first);
    expect(await run(2)).not.toEqual(first);
  });

  it.each(['default', 'mcmc'])('resumed from any checkpoint, %s, it goes on to the same bits', async (name) => {
    const options = {
      strategy: name === 'mcmc' ? mcmcStrategy({ start: 0, every: 4, cap: 60 }) : defaultStrategy(BUSY),
      background: 'random',
      decaySteps: 20,
      degreeEvery: 6,
    } as const;
    const store = memoryStore();
    const whole = last(await events({ ...options, steps: 20, store, checkpointEvery: 3, keep: 10 }));
    expect(whole.state.gaussians.count).toBeGreaterThan(30);
    for (const step of [3, 9, 18]) {
      const from = await storeFrom(store.files, step);
      const all = await events({ ...options, steps: 20, store: from, start: 'resume' });
      expect(all[0]).toMatchObject({ kind: 'start', step, resumed: true });
      expect(last(all).state).toEqual(whole.state);
      expect(from.files.get(checkpointPath(20))).toEqual(store.files.get(checkpointPath(20)));
    }
  });

  it.each(['resident', 'not resident'] as const)('copies no array from step to step: %s', async (where) => {
    const { claimMemory: _, ...rest } = rasterizer;
    const all = stepsOf(
      await events({ steps: 6, rasterizer: where === 'resident' ? rasterizer : rest, checkpointEvery: 2, evaluateEvery: 3 }),
    );
    const arrays = ({ gaussians, moments }: SplatState): readonly Float32Array[] => [gaussians.means, gaussians.sh, moments.sh.square];
    for (const { state } of all) arrays(state).forEach((array, i) => expect(array).toBe(arrays(all[0]!.state)[i]));
  });

  it('ends on abort, with a checkpoint that is what it gives', async () => {
    const stop = new AbortController();
    const store = memoryStore();
    const all: Event[] = [];
    for await (const event of trainSplats({ scene, rasterizer, steps: 50, store, signal: stop.signal })) {
      all.push(event);
      if (event.kind === 'step' && event.step === 4) stop.abort();
    }
    expect(last(all)).toMatchObject({ step: 4, reason: 'aborted', checkpoint: checkpointPath(4) });
    expect((await loadCheckpoint<SplatState>(store, 4)).state).toEqual(last(all).state);
    expect(last(all).state.gaussians.means.buffer).toBeInstanceOf(ArrayBuffer);
    expect(await store.list('checkpoints')).toEqual(['step-00000004.safetensors']);
  });

  it('stops before a number that is none gets into the Gaussians, and names view, step and the last good checkpoint', async () => {
    let renders = 0;
    // Without the way that does all in one.
    const { photometric: _, ...plain } = rasterizer;
    const broken: Rasterizer = {
      ...plain,
      backward: async (rendering, cotangents) => {
        const gradients = await rasterizer.backward(rendering, cotangents);
        if (++renders === 5) gradients.logScales[7] = NaN;
        return gradients;
      },
    };
    const store = memoryStore();
    await expect(events({ steps: 10, rasterizer: broken, store, checkpointEvery: 3 })).rejects.toThrow(
      new RegExp(
        'norm of the gradient is not finite: logScales=NaN, step=5, items: views \\[v\\d\\]\\. '
          + 'Last good checkpoint: memory/checkpoints/step-00000003\\.safetensors\\.',
        'u',
      ),
    );
    const { state } = await loadCheckpoint<SplatState>(store, 3);
    for (const values of Object.values(state.gaussians))
      if (values instanceof Float32Array) expect(values.every(Number.isFinite)).toBe(true);
  });

  it('may learn at other rates when it is resumed, and says so', async () => {
    const store = memoryStore();
    await events({ steps: 3, store });
    const all = await events({ steps: 4, store, start: 'resume', rates: { sh: 0.001 } });
    const start = all[0] as Event & { readonly kind: 'start' };
    expect(start.changed.map(({ path }) => path).sort()).toEqual(['rates.sh', 'steps']);
  });

  it('what is masked is not learned from', async () => {
    const dark = scene.train.map((view) => ({ ...view, mask: new Uint8Array(view.camera.width * view.camera.height) }));
    const { gaussians } = last(await events({ steps: 5, scene: { ...scene, train: dark } })).state;
    expect(gaussians).toEqual(gaussiansFromPoints(scene.points!, { degree: 1 }));
  });

  it('transparent photographs are put on the background of the step', async () => {
    const view = scene.train[0]!;
    const image = { width: 20, height: 16, channels: 4 as const, data: new Uint8Array(20 * 16 * 4) };
    const empty = { ...scene, train: [{ ...view, image }], test: [] };
    const all = await events({
      steps: 1,
      scene: empty,
      background: 'white',
      initial: { ...blobs(), opacityLogits: new Float32Array(30).fill(-20) },
    });
    expect(all[1]).toMatchObject({ kind: 'step', measures: { l1: 0, ssim: expect.closeTo(1, 5) as number } });
  });

  it('a checkpoint of another run, or of a scene with other views, is refused, and so is one whose arrays do not fit', async () => {
    const store = memoryStore();
    await events({ steps: 2, store });
    await expect(events({ steps: 3, store })).rejects.toThrow('there is a run already: memory, newest step=2. Resume it');
    await expect(events({ steps: 2, store, start: 'resume', dssim: 0.5 })).rejects.toThrow(
      'run was started with another configuration: dssim: stored 0.2, given 0.5',
    );
    const resume = { steps: 3, store, start: 'resume' } as const;
    await expect(events({ ...resume, scene: { ...scene, train: scene.train.slice(1) } })).rejects.toThrow(
      'data are not those that the run was started with: views.0: stored "v1 20x16", given "v2 20x16"',
    );
    // Where it lies is no part of it.
    expect((await events({ ...resume, scene: { ...scene, name: 'moved' } }))[0]).toMatchObject({ step: 2, resumed: true });

    const { state } = await loadCheckpoint<SplatState>(store, 3);
    const at = { step: 3, stream: () => ({ epoch: 0, index: 0 }), random: () => expect.unreachable() };
    const task = splatTask({ scene, rasterizer, steps: 9, degree: 1, strategy: defaultStrategy({ stop: 0 }) });
    const short = new Float32Array(3);
    for (const [wrong, what] of [
      [{ ...state, moments: { ...state.moments, sh: { ...state.moments.sh, square: short } } }, 'moments.sh.square.length=3, expected=360'],
      [{ ...state, statistics: {} }, 'statistics.gradient.length=0, expected=30'],
      [{ ...state, gaussians: { ...state.gaussians, means: short } }, 'means.length=3, expected 90'],
      [{ ...state, decaySteps: 0 }, 'decaySteps=0'],
    ] as const)
      await expect(Promise.resolve().then(() => task.step(wrong, at))).rejects.toThrow(what);
    await expect(task.step(state, { ...at, stream: () => ({ epoch: 0, index: 9 }) })).rejects.toThrow('index=9, views=5');
    await task.close?.();
  });

  it('resumed for more steps, it keeps what it was planned for, and goes on', async () => {
    const store = memoryStore();
    await events({ steps: 10, store, strategy: defaultStrategy(BUSY) });
    const longer = await events({ steps: 16, store, start: 'resume', strategy: defaultStrategy(BUSY) });
    expect(longer[0]).toMatchObject({ step: 10, steps: 16, resumed: true });
    expect(last(longer)).toMatchObject({ step: 16, reason: 'finished' });
    // Its rates fell over ten steps and stay where they were; nothing more is changed.
    const planned = last(await events({ steps: 16, decaySteps: 10, strategy: defaultStrategy(BUSY) }));
    expect(last(longer).state).toEqual(planned.state);
    expect(changesOf(longer)).toEqual([]);
    // Fewer than there were is an end as well.
    const shorter = await events({ steps: 12, store, start: 'resume', strategy: defaultStrategy(BUSY) });
    expect(last(shorter)).toMatchObject({ step: 16, reason: 'finished' });
    await expect(events({ steps: 20, decaySteps: 20, store, start: 'resume', strategy: defaultStrategy(BUSY) })).rejects.toThrow(
      'run was started with another configuration: decaySteps: stored nothing, given 20',
    );
  });

  it.each(['default', 'absgrad', 'mcmc'])('%s without an end: what it ends with is what the log has measured', async (name) => {
    // A reset would fall on the last step, and changes on every fourth.
    const busy = name === 'mcmc' ? { cap: 60 } : { resetEvery: 60, growGradient: 1e-5, cap: 60 };
    const strategy = strategyByName(name, { start: 0, every: 4, stop: 1e6, ...busy });
    const all = await events({ steps: 60, strategy });
    expect(changesOf(all).length).toBeGreaterThan(0);
    const { gaussians } = last(all).state;
    // The last epoch, measured a few steps before, and the same views at the end.
    const measured = await Promise.all(
      scene.train.map(async ({ camera, image }) =>
        psnr((await rasterizer.render(gaussians, camera, { degree: 0 })).color, pictureOf(image, [0, 0, 0])),
      ),
    );
    const logged = stepsOf(all)
      .slice(-5)
      .map(({ measures }) => measures!['psnr']!);
    const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(mean(measured)).toBeGreaterThan(mean(logged) - 0.5);
  });

  it.each([
    [undefined, 'there is no scene'],
    [3, 'options are an object: options=3'],
    [{ steps: 1 }, 'there is no scene: scene=undefined'],
    [{ steps: 1, scene: { train: 3 } }, 'there is no scene'],
    [{ steps: 1, scene: { train: [], test: [], extent: 1 } }, 'nothing draws: rasterizer=undefined'],
    [{ steps: 1, scene: { train: [], test: [], extent: NaN } }, 'extent=NaN'],
    [{ steps: 1, scene: { train: [null], test: [], extent: 1 } }, 'view=undefined, it has no name'],
    [{ steps: 1, scene: { train: [{ name: 'a' }], test: [], extent: 1 } }, 'view="a", it has no camera'],
    [{ steps: 1, scene: { train: [{ name: 'a', camera: { width: 2, height: 3 } }], test: [], extent: 1 } }, 'picture=undefinedxundefined'],
    [
      { steps: 1, scene: { train: [{ name: 'a', camera: { width: 2, height: 3 }, image: { width: 2, height: 3 } }], test: [], extent: 1 } },
      'bytes of the picture=undefined, channels=undefined',
    ],
    [
      { steps: 1, scene: { train: [], test: [], extent: 1 }, rasterizer: { render: () => 1, backward: () => 1 } },
      'no view to train on: train.length=0',
    ],
    [{ steps: 1, initial: 3 }, 'there is no scene'],
  ])('refuses %j, as untyped callers may give it', (options, message) => {
    expect(() => splatTask(options as never)).toThrow(message);
    expect(() => trainSplats(options as never)).toThrow('[gaussians/training] ');
  });

  it.each([
    [{ steps: 0 }, 'steps=0'],
    [{ steps: 1, dssim: 2 }, 'dssim=2'],
    [{ steps: 1, rates: { sh: -1 } }, 'sh=-1'],
    [{ steps: 1, degreeEvery: 0 }, 'degreeEvery=0'],
    [{ steps: 1, dsim: 0.1 }, '[gaussians/training] unknown option of a training: dsim=0.1. Did you mean "dssim"?'],
    [{ steps: 1, rates: { mean: 1 } }, '[gaussians/training] unknown option of learning rates: mean=1. Did you mean "means"?'],
    [{ steps: 1, background: 'grey' as 'black' }, 'setting is unknown: background="grey". Known: black, white, random.'],
  ] as const)('refuses %j', async (options, message) => {
    await expect(events(options as Parameters<typeof events>[0])).rejects.toThrow(message);
  });
});

it('evaluates held-out views: a picture of each of the first, a table of all, and means', async () => {
  const more = Array.from({ length: 9 }, (_, i) => ({
    ...scene.test[0]!,
    name: ['a/b c.png', 'a/b c_2.png', 'a/b c.jpg'][i] ?? `view "${i}"`,
  }));
  const task = splatTask({ scene: { ...scene, test: more }, rasterizer, steps: 1, perceptual: { name: 'one', distance: async () => 1 } });
  const found = [];
  for await (const each of task.evaluate!(await task.init(), { step: 0, random: () => expect.unreachable() })) found.push(each);
  const pictures = found.flatMap((each) => (each.kind === 'picture' ? [each] : []));
  expect(pictures.map(({ name }) => name).slice(0, 3)).toEqual(['held-out/a_b_c', 'held-out/a_b_c_2', 'held-out/a_b_c_3']);
  expect(new Set(pictures.map(({ name }) => name)).size).toBe(8);
  // Two pictures of 20 x 16 beside each other.
  expect(await readImage(pictures[0]!.content as Uint8Array)).toMatchObject({ width: 46 });
  const table = (found.find((each) => each.kind === 'table') as Artifact).content as string;
  expect(table.split('\n').slice(0, 2)).toEqual(['view,psnr,ssim,perceptual', expect.stringMatching(/^"a\/b c\.png",[\d.]+,[\d.]+,1$/u)]);
  expect(table.trimEnd().split('\n').at(-1)).toMatch(/^"view ""8"""/u);
  const row = table.split('\n')[1]!.split(',').slice(1).map(Number);
  expect(found.at(-1)).toEqual({
    kind: 'numbers',
    values: { heldOutPsnr: expect.closeTo(row[0]!, 9) as number, heldOutSsim: expect.closeTo(row[1]!, 9) as number, heldOutPerceptual: 1 },
  });
});

it('in a folder, it leaves logs, pictures of held-out views, checkpoints and a report', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'langevin-run-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const run = trainSplats({ scene, rasterizer, steps: 6, store: folderStore(folder), logEvery: 2, evaluateEvery: 3, checkpointEvery: 2 });
  for await (const _ of reported(run, { folder, name: '<tiny>', ...SPLAT_REPORT }));
  expect((await readdir(folder)).filter((name) => !name.startsWith('.')).sort()).toEqual([
    'checkpoints',
    'config.json',
    'data.json',
    'evaluations',
    'evaluations.jsonl',
    'log.jsonl',
    'report.html',
    'timings.jsonl',
  ]);
  expect(await readdir(join(folder, 'checkpoints'))).toEqual(['step-00000004.safetensors', 'step-00000006.safetensors']);
  expect((await readdir(join(folder, 'evaluations', 'step-00000006', 'held-out'))).sort()).toEqual(['scores.csv', 'v0.png']);
  expect((await readLog(folderStore(folder), RUN_FILES.log)).map(({ step }) => step)).toEqual([2, 4, 6]);
  const page = await readFile(join(folder, 'report.html'), 'utf8');
  for (const shown of [
    '<h1>&#60;tiny&#62;</h1>',
    'evaluations/step-00000006/held-out/v0.png',
    'Held-out views: photograph, render',
    'PSNR of held-out views, dB, newest',
  ])
    expect(page).toContain(shown);
});

it('of a damaged newest checkpoint the one before it is offered, and gone on from when asked', async () => {
  const store: RunStore & { readonly files: ReadonlyMap<string, Uint8Array> } = memoryStore();
  const run = (start: 'new' | 'resume' | 'previous'): Promise<readonly Event[]> =>
    events({ steps: 6, decaySteps: 6, store, checkpointEvery: 2, start });
  await run('new');
  const newest = checkpointPath(6);
  const whole = store.files.get(newest)!;
  const flipped = whole.slice();
  flipped[whole.length - 100]! ^= 4;
  for (const damaged of [whole.subarray(0, whole.length - 100), flipped]) {
    await store.write(newest, [damaged]);
    await expect(run('resume')).rejects.toThrow(
      /newest checkpoint cannot be read: .* To resume from step 4, ask for the checkpoint before/u,
    );
  }
  expect((await run('previous'))[0]).toMatchObject({ kind: 'start', step: 4, resumed: true });
  expect(store.files.get(newest)).toEqual(whole);
});
