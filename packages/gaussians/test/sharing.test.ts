import { cpuRasterizer, gaussiansFromPoints, trainSplats, type Gaussians, type Rasterizer, type SplatScene } from '@langevin/gaussians';
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

/** Gaussians after some steps, by themselves or beside what else goes on. */
async function trained(
  seed: number,
  { on = rasterizer, beside }: { readonly on?: Rasterizer; readonly beside?: () => Promise<unknown> } = {},
): Promise<Gaussians> {
  const initial = gaussiansFromPoints(scene.points!, { degree: 1 });
  const events = trainSplats({ scene, rasterizer: on, steps: STEPS, initial, degree: 1, degreeEvery: 2, seed });
  for (;;) {
    const [{ value: event }] = await Promise.all([events.next(), beside?.()]);
    if (event === undefined) throw new Error('training ended without saying so');
    if (event.kind === 'done') return event.state.gaussians;
  }
}

describe('a rasterizer that several use at once', () => {
  test('gives each training what it would have had alone', async () => {
    const [first, second] = [await trained(1), await trained(2)];
    expect(first.means).not.toEqual(second.means);
    expect(await Promise.all([trained(1), trained(2)])).toEqual([first, second]);
  });

  test.for(['resident', 'not resident'] as const)('draws pictures and their gradients while a training goes on: %s', async (where) => {
    const { claimMemory: _, ...rest } = rasterizer;
    const on = where === 'resident' ? rasterizer : rest;
    const expected = await trained(3, { on });
    const others = blobs(700);
    const { camera } = scene.train[0]!;
    const cotangents = { color: new Float32Array(3 * camera.width * camera.height).map((_, i) => Math.cos(i)) };
    const draw = async (): Promise<Float32Array> => (await rasterizer.backward(await rasterizer.render(others, camera), cotangents)).means;
    const means = await draw();
    expect(await trained(3, { on, beside: async () => expect(await draw()).toEqual(means) })).toEqual(expected);
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
