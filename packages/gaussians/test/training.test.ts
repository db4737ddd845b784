import {
  cpuRasterizer,
  defaultStrategy,
  gaussiansFromPoints,
  mcmcStrategy,
  pictureOf,
  psnr,
  resolveSettings,
  restoreState,
  storeState,
  strategyByName,
  trainSplats,
  type Rasterizer,
  type SplatEvent,
  type SplatScene,
  type TrainSplatsOptions,
} from '@langevin/gaussians';
import { trainSplatsInFolder } from '@langevin/gaussians/node';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { memoryStore } from './memory-store.ts';
import { blobs, BUSY, tinyScene } from './tiny-scene.ts';

let rasterizer: Rasterizer;
let scene: SplatScene;
beforeAll(async () => {
  rasterizer = cpuRasterizer({ threads: 1 });
  scene = await tinyScene(rasterizer);
});
afterAll(() => rasterizer.dispose());

async function events(options: Partial<TrainSplatsOptions> & { readonly steps: number }): Promise<readonly SplatEvent[]> {
  const all: SplatEvent[] = [];
  for await (const event of trainSplats({ scene, rasterizer, degree: 1, strategy: defaultStrategy({ stop: 0 }), ...options }))
    all.push(event);
  return all;
}
const last = (all: readonly SplatEvent[]): SplatEvent & { readonly kind: 'done' } => all.at(-1) as SplatEvent & { readonly kind: 'done' };

describe('training', () => {
  it('makes held-out views better, and says what it does', async () => {
    const all = await events({ steps: 300, evaluateEvery: 100, degreeEvery: 100 });
    expect(all[0]).toEqual({ kind: 'start', step: 0, steps: 300, count: 30, resumed: false });
    const scores = all.flatMap((event) => (event.kind === 'evaluation' ? [event.psnr] : []));
    expect(scores.length).toBe(3);
    expect(scores[2]!).toBeGreaterThan(scores[0]! + 2);
    expect(all.filter(({ kind }) => kind === 'step').length).toBe(300);
    expect(last(all)).toMatchObject({ kind: 'done', step: 300, reason: 'finished', gaussians: { count: 30, degree: 1 } });
    // Every view once before any comes again.
    const seen = all.flatMap((event) => (event.kind === 'step' ? [event.metrics.view] : []));
    for (const epoch of [0, 7]) expect(new Set(seen.slice(5 * epoch, 5 * epoch + 5)).size).toBe(5);
  });

  it('the same seed gives the same bits, another seed others', async () => {
    const run = async (seed: number): Promise<Float32Array> =>
      last(await events({ steps: 25, seed, strategy: mcmcStrategy({ start: 0, every: 5, cap: 50 }) })).gaussians.means;
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
    const whole = last(await events({ ...options, steps: 20, store, checkpointEvery: 3 }));
    expect(whole.gaussians.count).toBeGreaterThan(30);
    for (const step of [3, 9, 18]) {
      const from = memoryStore();
      from.kept.set(step, store.kept.get(step)!);
      const all = await events({ ...options, steps: 20, store: from, start: 'resume' });
      expect(all[0]).toMatchObject({ kind: 'start', step, resumed: true });
      expect(last(all).gaussians).toEqual(whole.gaussians);
      expect(from.kept.get(20)).toEqual(store.kept.get(20));
    }
  });

  it('ends on abort, with a checkpoint', async () => {
    const stop = new AbortController();
    const store = memoryStore();
    const all: SplatEvent[] = [];
    for await (const event of trainSplats({ scene, rasterizer, steps: 50, store, signal: stop.signal })) {
      all.push(event);
      if (event.kind === 'step' && event.step === 4) stop.abort();
    }
    expect(last(all)).toMatchObject({ step: 4, reason: 'aborted', checkpoint: 'memory:4' });
    expect([...store.kept.keys()]).toEqual([4]);
  });

  it('stops before a number that is none gets into the Gaussians, and names the last checkpoint', async () => {
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
    await expect(events({ steps: 10, rasterizer: broken, store, checkpointEvery: 2 })).rejects.toThrow(
      /^\[gaussians\/training\] gradient is not finite: logScales, step=5, view=v\d\. .* Last good checkpoint: memory:4\.$/,
    );
    expect(
      [...store.kept.values()].every(({ tensors }) =>
        [...tensors.values()].every(({ data }) => (data as Float32Array).every(Number.isFinite)),
      ),
    ).toBe(true);
  });

  it('what is masked is not learned from', async () => {
    const dark = scene.train.map((view) => ({ ...view, mask: new Uint8Array(view.camera.width * view.camera.height) }));
    const { gaussians } = last(await events({ steps: 5, scene: { ...scene, train: dark } }));
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
    expect(all[1]).toMatchObject({ kind: 'step', metrics: { l1: 0, ssim: expect.closeTo(1, 5) as number } });
  });

  it('a checkpoint of another run, or a damaged one, is refused', async () => {
    const store = memoryStore();
    await events({ steps: 2, store });
    await expect(events({ steps: 3, store })).rejects.toThrow(
      '[gaussians/training] there is a checkpoint already: memory:2. Resume it, or choose another folder.',
    );
    await expect(events({ steps: 2, store, start: 'resume', dssim: 0.5 })).rejects.toThrow(
      'run was started with other settings: dssim: stored 0.2, given 0.5, checkpoint=memory:2.',
    );
    const stored = store.kept.get(2)!;
    const { strategy } = resolveSettings({}, 1);
    const run = JSON.parse(stored.metadata['run']!) as unknown;
    const given = { run, strategy, from: 'x' };
    expect(restoreState(stored, given).step).toBe(2);
    const without = new Map([...stored.tensors].filter(([name]) => name !== 'moments.sh.square'));
    expect(() => restoreState({ ...stored, tensors: without }, given)).toThrow(
      '[gaussians/checkpoint] cannot go on from x: tensor moments.sh.square of shape [none], expected [30, 12] of float32.',
    );
    expect(() => restoreState({ ...stored, metadata: { ...stored.metadata, step: '-1' } }, given)).toThrow('step=-1');
    expect(() => restoreState({ ...stored, metadata: {} }, given)).toThrow('format=none');
    const again = restoreState(storeState(restoreState(stored, given), run), given);
    expect(again).toEqual(restoreState(stored, given));
  });

  it('resumed for more steps, it keeps what it was planned for, and goes on', async () => {
    const store = memoryStore();
    await events({ steps: 10, store, strategy: defaultStrategy(BUSY) });
    const longer = await events({ steps: 16, store, start: 'resume', strategy: defaultStrategy(BUSY) });
    expect(longer[0]).toMatchObject({ step: 10, steps: 16, resumed: true });
    expect(last(longer)).toMatchObject({ step: 16, reason: 'finished' });
    // Its rates fell over ten steps and stay where they were; nothing more is changed.
    const planned = last(await events({ steps: 16, decaySteps: 10, strategy: defaultStrategy(BUSY) }));
    expect(last(longer).gaussians).toEqual(planned.gaussians);
    expect(longer.filter(({ kind }) => kind === 'refined')).toEqual([]);
    // Fewer than there were is an end as well.
    const shorter = await events({ steps: 12, store, start: 'resume', strategy: defaultStrategy(BUSY) });
    expect(last(shorter)).toMatchObject({ step: 16, reason: 'finished' });
    await expect(events({ steps: 20, decaySteps: 20, store, start: 'resume', strategy: defaultStrategy(BUSY) })).rejects.toThrow(
      'run was started with other settings: decaySteps: stored 10, given 20',
    );
  });

  it.each(['default', 'absgrad', 'mcmc'])('%s without an end: what it ends with is what the log has measured', async (name) => {
    // A reset would fall on the last step, and changes on every fourth.
    const busy = name === 'mcmc' ? { cap: 60 } : { resetEvery: 60, growGradient: 1e-5, cap: 60 };
    const strategy = strategyByName(name, { start: 0, every: 4, stop: 1e6, ...busy });
    const all = await events({ steps: 60, strategy });
    expect(all.some(({ kind }) => kind === 'refined')).toBe(true);
    const steps = all.flatMap((event) => (event.kind === 'step' ? [event.metrics] : []));
    const { gaussians } = last(all);
    // The last epoch, measured a few steps before, and the same views at the end.
    const logged = steps.slice(-5);
    const measured = await Promise.all(
      logged.map(async ({ view }) => {
        const { camera, image } = scene.train.find((candidate) => candidate.name === view)!;
        return psnr((await rasterizer.render(gaussians, camera, { degree: 0 })).color, pictureOf(image, [0, 0, 0]));
      }),
    );
    const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(mean(measured)).toBeGreaterThan(mean(logged.map((metrics) => metrics.psnr)) - 0.5);
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

it('in a folder, it leaves logs, renders of held-out views, checkpoints and a report', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'langevin-run-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  for await (const _ of trainSplatsInFolder({
    scene: { ...scene, name: '<tiny>' },
    rasterizer,
    steps: 6,
    folder,
    logEvery: 2,
    evaluateEvery: 3,
    checkpointEvery: 2,
  }));
  expect((await readdir(folder)).sort()).toEqual([
    'checkpoints',
    'evaluations.jsonl',
    'log.jsonl',
    'renders',
    'report.html',
    'timings.jsonl',
  ]);
  expect(await readdir(join(folder, 'checkpoints'))).toEqual(['step-00000004.safetensors', 'step-00000006.safetensors']);
  expect(await readdir(join(folder, 'renders'))).toEqual(['v0-00000003.png', 'v0-00000006.png']);
  const log = (await readFile(join(folder, 'log.jsonl'), 'utf8'))
    .trimEnd()
    .split('\n')
    .map((text) => JSON.parse(text) as Record<string, number>);
  expect(log.map(({ step }) => step)).toEqual([2, 4, 6]);
  const page = await readFile(join(folder, 'report.html'), 'utf8');
  expect(page.includes('<h1>&#60;tiny&#62;</h1>')).toBe(true);
  expect(page.includes('renders/v0-00000006.png')).toBe(true);
  expect(page.includes('v0-00000003.png')).toBe(false);
});

it('of a damaged newest checkpoint the one before it is offered', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'langevin-run-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const run = async (steps: number, start: 'new' | 'resume'): Promise<readonly SplatEvent[]> => {
    const all: SplatEvent[] = [];
    for await (const event of trainSplatsInFolder({ scene, rasterizer, steps, decaySteps: 6, folder, checkpointEvery: 2, start }))
      all.push(event);
    return all;
  };
  await run(6, 'new');
  const [before, newest] = ['step-00000004.safetensors', 'step-00000006.safetensors'].map((name) => join(folder, 'checkpoints', name));
  const whole = await readFile(newest!);
  const flipped = Uint8Array.from(whole);
  flipped[whole.length - 100]! ^= 4;
  for (const damaged of [whole.subarray(0, whole.length - 100), flipped]) {
    await writeFile(newest!, damaged);
    await expect(run(6, 'resume')).rejects.toThrow(
      `[gaussians/checkpoint] newest checkpoint is damaged: ${JSON.stringify(newest)}. To go on from the one before it, `
        + `${JSON.stringify(before)}, remove ${JSON.stringify(newest)}.`,
    );
  }
  await rm(newest!);
  expect((await run(6, 'resume'))[0]).toMatchObject({ kind: 'start', step: 4, resumed: true });
  expect(await readFile(newest!)).toEqual(whole);
  await writeFile(newest!, 'x');
  await writeFile(before!, '');
  await expect(run(6, 'resume')).rejects.toThrow('No other one can be read: begin anew in another folder.');
});
