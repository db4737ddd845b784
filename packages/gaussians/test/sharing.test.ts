import {
  cpuRasterizer,
  createTrainer,
  gaussiansFromPoints,
  initialState,
  resolveSettings,
  type Gaussians,
  type Rasterizer,
  type SplatScene,
  type Trainer,
} from '@langevin/gaussians';
import { UnsupportedError } from '@langevin/tensor';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { blobs, tinyScene } from './tiny-scene.ts';

const STEPS = 6;
const rasterizer = cpuRasterizer({ threads: 2 });
let scene: SplatScene;
beforeAll(async () => {
  scene = await tinyScene(rasterizer);
});
afterAll(() => rasterizer.dispose());

function trainer(seed: number, on: Rasterizer = rasterizer): Trainer {
  const settings = resolveSettings({ degree: 1, degreeEvery: 2, seed }, STEPS);
  return createTrainer({
    scene,
    rasterizer: on,
    settings,
    state: initialState(gaussiansFromPoints(scene.points!, { degree: 1 }), settings.strategy),
  });
}

/** Gaussians after some steps, by themselves or beside what else goes on. */
async function trained(one: Trainer, beside: () => Promise<unknown> = () => Promise.resolve()): Promise<Gaussians> {
  for (let step = 0; step < STEPS; step++) await Promise.all([one.advance(), beside()]);
  one.release();
  return one.state().gaussians;
}

describe('a rasterizer that several use at once', () => {
  test('gives each training what it would have had alone', async () => {
    const [first, second] = [await trained(trainer(1)), await trained(trainer(2))];
    expect(first.means).not.toEqual(second.means);
    expect(await Promise.all([trained(trainer(1)), trained(trainer(2))])).toEqual([first, second]);
  });

  test.for(['resident', 'not resident'] as const)('draws pictures and their gradients while a training goes on: %s', async (where) => {
    const { claimMemory: _, ...rest } = rasterizer;
    const on = where === 'resident' ? rasterizer : rest;
    const expected = await trained(trainer(3, on));
    const others = blobs(700);
    const { camera } = scene.train[0]!;
    const cotangents = { color: new Float32Array(3 * camera.width * camera.height).map((_, i) => Math.cos(i)) };
    const draw = async (): Promise<Float32Array> => (await rasterizer.backward(await rasterizer.render(others, camera), cotangents)).means;
    const means = await draw();
    expect(await trained(trainer(3, on), async () => expect(await draw()).toEqual(means))).toEqual(expected);
  });

  test('refuses what does not fit into its memory, and goes on', async () => {
    const gaussians = blobs();
    const { camera } = scene.train[0]!;
    const { color } = await rasterizer.render(gaussians, camera);
    const refused = rasterizer.render(gaussians, { ...camera, width: 16_384, height: 16_384 });
    await expect(refused).rejects.toThrow(UnsupportedError);
    await expect(refused).rejects.toThrow(
      /^\[gaussians\/cpu\] the picture does not fit into the memory of the kernels: bytes=\d+\. Draw a smaller picture, or fewer/u,
    );
    expect((await rasterizer.render(gaussians, camera)).color).toEqual(color);
  });
});
