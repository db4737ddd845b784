import {
  boxOf,
  cpuRasterizer,
  defaultStrategy,
  deformationData,
  hexPlaneDeformation,
  mlpDeformation,
  motionTask,
  playback,
  psnr,
  pictureOf,
  stillScene,
  trainMotion,
  trainSplats,
  type Deformation,
  type DeformationData,
  type Gaussians,
  type MotionState,
  type Rasterizer,
  type SplatScene,
  type TrainMotionOptions,
} from '@langevin/gaussians';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { setDefaultEngine } from '@langevin/tensor';
import { checkpointPath, memoryStore, RUN_FILES, type TrainEvent } from '@langevin/training';
import { checkTask } from '@langevin/training/testing';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { blobsAt, movingScene } from './moving-scene.ts';
import { blobs } from './tiny-scene.ts';

let rasterizer: Rasterizer;
let scene: SplatScene;
beforeAll(async () => {
  setDefaultEngine(await onnxruntimeEngine({ device: 'cpu', threads: 1 }));
  rasterizer = cpuRasterizer({ threads: 1 });
  scene = await movingScene(rasterizer);
});
afterAll(async () => {
  setDefaultEngine(undefined);
  await rasterizer.dispose();
});

const box = boxOf(blobs(), { margin: 2 });
const small = {
  mlp: mlpDeformation({ box, width: 32, depth: 2, positionFrequencies: 3, timeFrequencies: 1 }) as Deformation<unknown>,
  hexplane: hexPlaneDeformation({ box, resolution: 12, frames: 4, scales: [1], features: 8, width: 32 }) as Deformation<unknown>,
};
const kinds = ['mlp', 'hexplane'] as const;

type Event = TrainEvent<MotionState<unknown>>;
type Done = Extract<Event, { readonly kind: 'done' }>;

async function events(options: Partial<TrainMotionOptions<unknown>> & { readonly steps: number }): Promise<readonly Event[]> {
  const all: Event[] = [];
  for await (const event of trainMotion({ scene, rasterizer, gaussians: blobs(), deformation: small.mlp, ...options })) all.push(event);
  return all;
}
const last = (all: readonly Event[]): Done => all.at(-1) as Done;

/** What a file of the result holds. */
async function resultOf(
  all: readonly Event[],
  deformation: Deformation<unknown>,
): Promise<{ readonly gaussians: Gaussians; readonly motion: DeformationData }> {
  const { gaussians, params } = last(all).state;
  return { gaussians, motion: await deformationData(deformation, params) };
}

/** Mean PSNR over the held-out views, each at its time, of anything that plays. */
async function heldOut(at: (time: number) => Gaussians): Promise<number> {
  let sum = 0;
  for (const { camera, image, time } of scene.test)
    sum += psnr((await rasterizer.render(at(time!), camera)).color, pictureOf(image, [0, 0, 0]));
  return sum / scene.test.length;
}

describe.each(kinds)('a motion: %s', (kind) => {
  it(
    'learned with the asset held, shows held-out times and views 6 dB better than the asset at rest, and at time 0 it is the asset, '
      + 'bit for bit',
    async () => {
      const all = await events({ deformation: small[kind], asset: 'hold', steps: 160, rate: 6 });
      const { gaussians, motion } = await resultOf(all, small[kind]);
      expect(gaussians).toEqual(blobs());
      const at = playback(gaussians, motion);
      expect(at(0)).toEqual(blobs());
      const [still, moving, truth] = [await heldOut(() => blobs()), await heldOut(at), await heldOut((time) => blobsAt(time))];
      expect(truth).toBeGreaterThan(45);
      expect(moving - still).toBeGreaterThan(6);
      // What the run says of itself is that of a player without an engine.
      const evaluation = all.findLast((event) => event.kind === 'numbers')!;
      expect(evaluation.values['heldOutPsnr']).toBeCloseTo(moving, 1);
      const film = all.findLast((event) => event.kind === 'artifact')!;
      expect([film.path, film.artifact.kind]).toEqual(['evaluations/step-00000160/motion.gif', 'film']);
      expect(await sharp(film.artifact.content as Uint8Array).metadata()).toMatchObject({ format: 'gif', pages: 12, width: 20 });
    },
    240_000,
  );

  it('learned with an asset that began as a blur of all times, surpasses it by 2 dB on held-out times and views', async () => {
    const coarse = stillScene({ ...scene, points: { count: 30, positions: blobs().means, colors: new Uint8Array(90).fill(128) } }, 'all');
    let blur: Gaussians | undefined;
    for await (const event of trainSplats({ scene: coarse, rasterizer, steps: 150, degree: 1, strategy: defaultStrategy({ stop: 0 }) }))
      if (event.kind === 'done') blur = event.state.gaussians;
    const all = await events({ gaussians: blur!, deformation: small[kind], steps: 260, rate: 6 });
    const { gaussians, motion } = await resultOf(all, small[kind]);
    expect(gaussians.means).not.toEqual(blur!.means);
    expect(playback(gaussians, motion)(0)).toEqual(gaussians);
    expect((await heldOut(playback(gaussians, motion))) - (await heldOut(() => blur!))).toBeGreaterThan(2);
  }, 240_000);

  it.each(['hold', 'train'] as const)(
    'resumed from any checkpoint it goes on to the same bits, asset: %s',
    async (asset) => {
      const store = memoryStore();
      const options = { deformation: small[kind], asset, background: 'random', steps: 8 } as const;
      await events({ ...options, store, checkpointEvery: 3, keep: 4 });
      for (const step of [3, 6]) {
        const from = memoryStore();
        for (const path of [checkpointPath(step), RUN_FILES.config, RUN_FILES.data]) await from.write(path, [store.files.get(path)!]);
        const all = await events({ ...options, store: from, start: 'resume' });
        expect(all[0]).toMatchObject({ kind: 'start', step, resumed: true });
        expect(from.files.get(checkpointPath(8))).toEqual(store.files.get(checkpointPath(8)));
      }
    },
    240_000,
  );
});

it('resumes to the same bytes wherever it ends, as checkTask asks of every task', async () => {
  const { test } = scene;
  const few = { ...scene, test: test.slice(1, 2) };
  await checkTask(() => motionTask({ scene: few, rasterizer, gaussians: blobs(), deformation: small.mlp, steps: 4 }), { steps: 4 });
}, 240_000);

it('says what each step was like, and ends on abort with a checkpoint', async () => {
  const stop = new AbortController();
  const store = memoryStore();
  const all: Event[] = [];
  for await (const event of trainMotion({
    scene,
    rasterizer,
    gaussians: blobs(),
    deformation: small.hexplane,
    steps: 50,
    store,
    signal: stop.signal,
  })) {
    all.push(event);
    if (event.kind === 'step' && event.step === 3) stop.abort();
  }
  expect(all[0]).toEqual({ kind: 'start', step: 0, steps: 50, resumed: false, changed: [] });
  const steps = all.flatMap((event) => (event.kind === 'step' ? [event.measures!] : []));
  expect(steps.map(({ psnr: value, count }) => [Number.isFinite(value), count])).toEqual(Array(3).fill([true, 30]));
  expect(last(all)).toMatchObject({ step: 3, reason: 'aborted', checkpoint: checkpointPath(3) });
});

it('refuses views without a time, other settings, numbers that are none', async () => {
  const { time: _, ...timeless } = scene.train[0]!;
  await expect(events({ steps: 2, scene: { ...scene, train: [timeless] } })).rejects.toThrow(
    '[gaussians/dynamic] view has no time: view=t0-v1.',
  );
  await expect(events({ steps: 2, scene: { ...scene, train: [{ ...timeless, time: 2 }] } })).rejects.toThrow(
    '[gaussians/dynamic] time is out of range: time=2.',
  );
  expect(() => stillScene({ ...scene, train: [timeless] })).toThrow('view has no time');
  await expect(events({ steps: 2, rate: 0 })).rejects.toThrow('[gaussians/dynamic] rate is out of range: rate=0. Pass a number > 0.');
  await expect(events({ steps: 2, asset: 'melt' as 'hold' })).rejects.toThrow('asset="melt". Known: train, hold.');
  await expect(events({ steps: 2, degree: 1 } as Parameters<typeof events>[0])).rejects.toThrow(
    '[gaussians/dynamic] unknown option of the training of a motion: degree=1.',
  );
  const store = memoryStore();
  await events({ steps: 2, store });
  await expect(events({ steps: 2, store })).rejects.toThrow('there is a run already: memory, newest step=2.');
  await expect(events({ steps: 2, store, start: 'resume', asset: 'hold' })).rejects.toThrow(
    'run was started with another configuration: asset: stored "train", given "hold"',
  );
  await expect(events({ steps: 2, store, start: 'resume', deformation: small.hexplane })).rejects.toThrow(
    'motion.kind: stored "mlp", given "hexplane"',
  );
  const broken: Rasterizer = {
    ...rasterizer,
    photometric: async (request) => {
      const step = await rasterizer.photometric!(request);
      step.gradients.means[7] = NaN;
      return { ...step, finite: false };
    },
  };
  await expect(events({ steps: 2, rasterizer: broken })).rejects.toThrow(
    /^\[training\/train\] norm of the gradient is not finite: means=NaN, step=1, items: views \[t.*\]\. Last good checkpoint: none yet\./,
  );
});

it('an asset begins with the first moment where that has views enough, and with all of them otherwise', () => {
  expect(stillScene(scene)).toMatchObject({ from: 'all', train: scene.train, test: scene.test });
  const first = stillScene(scene, 'first');
  expect(first.train.map(({ name }) => name)).toEqual(['t0-v1', 't0-v2', 't0-v3', 't0-v4', 't0-v5']);
  expect(first.test).toBe(scene.test);
  expect(stillScene({ ...scene, train: scene.train.map((view) => ({ ...view, time: 0 })) }).from).toBe('first');
});
