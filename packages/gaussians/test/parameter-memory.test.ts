import {
  adamStep,
  cpuRasterizer,
  gaussiansFromPoints,
  mcmcStrategy,
  trainSplats,
  zeroMoments,
  type AdamStep,
  type Rasterizer,
  type SplatScene,
  type SplatState,
} from '@langevin/gaussians';
import { counterGenerator } from '@langevin/tensor';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inBothPrecisions, randomScene } from '../src/testing/index.ts';
import { blobs, tinyScene } from './tiny-scene.ts';

const [one, two] = [cpuRasterizer({ threads: 1 }), cpuRasterizer({ threads: 2 })];
let scene: SplatScene;
beforeAll(async () => {
  scene = await tinyScene(one);
});
afterAll(async () => {
  await Promise.all([one.dispose(), two.dispose()]);
});

const normal = (stream: number, length: number): Float32Array => counterGenerator({ seed: 5, stream: [stream] }).normal(length);

describe('arrays that stay in the kernels', () => {
  test('are stepped by Adam to the bits of the one in JavaScript, whole rows and parts of them', async () => {
    const rows = 1001;
    const make = (stream: number, rowLength: number, from: number, to: number, step: number): AdamStep => {
      const length = rows * rowLength;
      const square = normal(stream + 3, length).map((value) => value * value * 1e-6);
      return {
        values: normal(stream, length),
        gradient: normal(stream + 1, length).map((value, i) => (i % 7 === 0 ? 0 : value * 1e-3)),
        moments: { mean: normal(stream + 2, length).map((value) => value * 1e-3), square },
        columns: { rowLength, from, to, rate: 5e-3 },
        step,
      };
    };
    const steps = [make(0, 3, 0, 3, 1), make(10, 1, 0, 1, 7), make(20, 12, 0, 3, 2000), make(30, 12, 3, 8, 2), make(40, 4, 0, 4, 3)];
    const expected = steps.map(({ values, moments, ...rest }) => ({
      ...rest,
      values: values.slice(),
      moments: { mean: moments.mean.slice(), square: moments.square.slice() },
    }));
    for (const step of expected) adamStep(step);
    for (const rasterizer of [one, two]) {
      const memory = rasterizer.claimMemory!()!;
      const held = (await memory.load(steps.flatMap(({ values, gradient, moments }) => [values, gradient, moments.mean, moments.square])))!;
      const there = steps.map((step, i) => ({
        ...step,
        values: held[4 * i]!,
        gradient: held[4 * i + 1]!,
        moments: { mean: held[4 * i + 2]!, square: held[4 * i + 3]! },
      }));
      await memory.adam(there);
      for (const [i, { values, moments }] of there.entries()) {
        const same = (a: Float32Array, b: Float32Array): boolean =>
          Buffer.from(Uint8Array.from(new Uint8Array(a.buffer, a.byteOffset, a.byteLength)).buffer).equals(Buffer.from(b.buffer));
        expect(
          [
            same(values, expected[i]!.values),
            same(moments.mean, expected[i]!.moments.mean),
            same(moments.square, expected[i]!.moments.square),
          ],
          `group ${i}`,
        ).toEqual([true, true, true]);
        expect(same(values, steps[i]!.values)).toBe(false);
      }
      memory.release();
    }
  });

  test('may lie elsewhere as well', async () => {
    const memory = one.claimMemory!()!;
    const step: AdamStep = {
      values: Float32Array.of(1, 2),
      gradient: Float32Array.of(3, 4),
      moments: zeroMoments(2),
      columns: { rowLength: 1, from: 0, to: 1, rate: 0.1 },
      step: 1,
    };
    await memory.adam([step]);
    expect(step.values[0]).toBeCloseTo(0.9, 6);
    memory.release();
  });

  test('belong to one at a time', async () => {
    const first = one.claimMemory!()!;
    expect(one.claimMemory!()).toBeUndefined();
    first.release();
    const second = one.claimMemory!();
    expect(second).toBeDefined();
    await expect(first.load([])).rejects.toThrow('released=true');
    first.release();
    expect(one.claimMemory!()).toBeUndefined();
    second!.release();
  });

  test('are drawn from where they are, and a picture from before finds its backward pass', async () => {
    const random = randomScene({ seed: 3, count: 50, size: 40 });
    const { gaussians, camera } = { gaussians: inBothPrecisions(random.gaussians).single, camera: random.camera };
    const v = { color: new Float32Array(3 * camera.width * camera.height).map((_, i) => Math.sin(i)) };
    const expected = await one.backward(await one.render(gaussians, camera), v);
    const before = await one.render(gaussians, camera);
    const memory = one.claimMemory!()!;
    const [means, sh] = (await memory.load([gaussians.means, gaussians.sh]))!;
    const drawn = await one.render({ ...gaussians, means: means!, sh: sh! }, camera);
    expect(drawn.color).toEqual(before.color);
    expect(await one.backward(before, v)).toEqual(expected);
    expect(await one.backward(drawn, v)).toEqual(expected);
    // What lies where pictures are drawn is taken out of the way.
    const { gradients } = await one.photometric!({ gaussians, camera, target: v.color, dssim: 0.2 });
    const copy = gradients.means.slice();
    expect((await one.render({ ...gaussians, means: gradients.means }, camera)).color).toEqual(
      (await one.render({ ...gaussians, means: copy }, camera)).color,
    );
    memory.release();
  });

  test('change no bit of a training, and its arrays are its own in the end', async () => {
    const run = async (rasterizer: Rasterizer): Promise<Pick<SplatState, 'gaussians' | 'moments'>> => {
      const strategy = mcmcStrategy({ start: 0, every: 4, cap: 60 });
      const initial = gaussiansFromPoints(scene.points!, { degree: 1 });
      for await (const event of trainSplats({
        scene,
        rasterizer,
        strategy,
        initial,
        degree: 1,
        degreeEvery: 5,
        decaySteps: 20,
        steps: 18,
      })) {
        if (event.kind !== 'done') continue;
        const { gaussians, moments } = event.state;
        await rasterizer.render(blobs(500), scene.train[0]!.camera);
        return { gaussians, moments };
      }
      throw new Error('no end');
    };
    const found = await run(two);
    const { claimMemory: _, ...withoutMemory } = one;
    expect(await run(withoutMemory)).toEqual(found);
    expect(found.gaussians.count).toBeGreaterThan(30);
    expect(found.gaussians.means.buffer).toBeInstanceOf(ArrayBuffer);
  });
});
