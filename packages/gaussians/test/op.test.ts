import type { Camera } from '@langevin/core';
import {
  cpuRasterizer,
  gaussianTensors,
  rasterizeTensors,
  referenceRasterizer,
  shCoefficients,
  type FloatArray,
  type Gaussians,
  type GaussianTensors,
  type RasterizedTensors,
  type RasterizeOptions,
  type Rasterizer,
} from '@langevin/gaussians';
import { add, gradients, mean, mul, numbers, realize, sin, square, stack, sum, tensor, type Tensor } from '@langevin/tensor';
import { referenceEngine } from '@langevin/tensor/testing';
import { describe, expect, test, vi } from 'vitest';
import { inBothPrecisions, randomScene, uniforms } from '../src/testing/random-scene.ts';

const engine = referenceEngine();
const read = (x: Tensor): Promise<number[]> => numbers(x, { engine });

const { gaussians, camera: found } = randomScene({ seed: 5, count: 3, degree: 1, size: 9 });
// Poses of float32, so that tensors hold the same.
const camera: Camera = { ...found, worldToCamera: found.worldToCamera.map(Math.fround) };
const moved: Camera = { ...camera, worldToCamera: camera.worldToCamera.map((v, i) => (i % 4 === 3 ? Math.fround(v + 0.1) : v)) };
const { double, single } = inBothPrecisions(gaussians);
const next = uniforms(8);
const fill = (shape: readonly number[], scale = 1): Tensor =>
  tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => scale * (2 * next() - 1)),
    { shape },
  );
const pose = (c: Camera): Tensor => tensor(Float32Array.from(c.worldToCamera), { shape: [3, 4] });

type Inputs = Record<string, Tensor>;

/** A loss of every output, over all inputs that there are. */
function lossOf(inputs: Inputs, cameras: Camera | readonly Camera[], weights: Readonly<Record<string, Tensor>>): Tensor {
  const { means, quaternions, logScales, opacityLogits, sh, ...options } = inputs;
  const drawn = rasterizeTensors(
    referenceRasterizer(),
    { means, quaternions, logScales, opacityLogits, sh } as unknown as GaussianTensors,
    { ...(options as Omit<RasterizeOptions, 'camera'>), camera: cameras, depth: 'accumulated', cutoff: 'smooth' },
  );
  const parts = (['color', 'alpha', 'depth'] as const).map((name) => sum(mul(sin(drawn[name]!), weights[name]!)));
  return parts.reduce((a, b) => add(a, b));
}

/** The same by hand, in float64 throughout: quotients of tensors would be of float32. */
async function plainLoss(
  inputs: Readonly<Record<string, Float64Array>>,
  cameras: readonly Camera[],
  weights: Readonly<Record<string, readonly number[]>>,
): Promise<number> {
  const { background, worldToCamera, colors, features } = inputs;
  const scene = { ...double, ...inputs } as Gaussians<Float64Array>;
  let total = 0;
  for (const [i, at] of cameras.entries()) {
    const behind = background && [...(background.length >= 6 ? background.subarray(3 * i, 3 * i + 3) : background)];
    const drawn = await referenceRasterizer().render(
      scene,
      worldToCamera ? { ...at, worldToCamera: [...worldToCamera.subarray(12 * i, 12 * i + 12)] } : at,
      {
        depth: 'accumulated',
        cutoff: 'smooth',
        ...(behind && { background: behind }),
        ...(colors && { colors }),
        ...(features && { features }),
      },
    );
    for (const name of ['color', 'alpha', 'depth'] as const)
      drawn[name]!.forEach((v, j) => (total += Math.sin(v) * weights[name]![i * drawn[name]!.length + j]!));
  }
  return total;
}

async function expectSlopes(inputs: Inputs, cameras: Camera | readonly Camera[]): Promise<void> {
  const list = [cameras].flat() as readonly Camera[];
  const batch = Array.isArray(cameras) ? [list.length] : [];
  const { width, height } = camera;
  const channels = 3 + (inputs['features']?.shape[1] ?? 0);
  const weights = {
    color: fill([...batch, height, width, channels]),
    alpha: fill([...batch, height, width]),
    depth: fill([...batch, height, width]),
  };
  const plainWeights = { color: await read(weights.color), alpha: await read(weights.alpha), depth: await read(weights.depth) };
  const plain: Record<string, Float64Array> = {};
  for (const [name, x] of Object.entries(inputs)) plain[name] = Float64Array.from(await read(x));
  const names = Object.keys(inputs);
  const found = gradients(
    [lossOf(inputs, cameras, weights)],
    names.map((name) => inputs[name]!),
  );
  await realize(found, { engine });
  for (const [i, name] of names.entries()) {
    const direction = await read(fill([inputs[name]!.size]));
    const step = 1e-5;
    const at = (by: number): Promise<number> =>
      plainLoss({ ...plain, [name]: plain[name]!.map((v, j) => v + by * direction[j]!) }, list, plainWeights);
    const slope = ((await at(step)) - (await at(-step))) / (2 * step);
    const terms = (await read(found[i]!)).map((g, j) => g * direction[j]!);
    const size = terms.reduce((total, v) => total + Math.abs(v), 0);
    // Cotangents and sums of float32, and second derivatives that jump where the smooth cut-off begins.
    if (name === 'sh' && inputs['colors']) {
      expect([slope, size]).toEqual([0, 0]);
      continue;
    }
    expect(Math.abs(slope - terms.reduce((total, v) => total + v, 0)), name).toBeLessThan(2e-5 * size);
    expect(size, name).toBeGreaterThan(1e-3);
  }
}

describe('the picture', () => {
  test('is the one that the rasterizer draws, for one camera and for several', async () => {
    const rasterizer = referenceRasterizer();
    const options = { background: [0.125, 0.25, 0.375], depth: 'expected', antialiasing: 'mip' } as const;
    const drawn = rasterizeTensors(rasterizer, gaussianTensors(single), { ...options, camera });
    const both = rasterizeTensors(rasterizer, gaussianTensors(double), { ...options, camera: [camera, moved] });
    expect([drawn.color.shape, drawn.alpha.shape, both.depth!.shape]).toEqual([
      [4, 9, 3],
      [4, 9],
      [2, 4, 9],
    ]);
    const wanted = [await rasterizer.render(double, camera, options), await rasterizer.render(double, moved, options)];
    for (const name of ['color', 'alpha', 'depth'] as const) {
      const arrays = wanted.map((rendering) => [...Float32Array.from(rendering[name]!)]);
      expect(await read(drawn[name]!)).toEqual(arrays[0]);
      expect(await read(both[name]!)).toEqual(arrays.flat());
    }
  });

  test('depth is there when asked for; a float32 rasterizer gets float32', async () => {
    const asked = vi.fn();
    const flat: Rasterizer = {
      name: 'flat',
      kind: 'cpu',
      dispose: async () => undefined,
      render: async ({ means, count }, { width, height }) => {
        asked(means instanceof Float32Array);
        return {
          width,
          height,
          channels: 3,
          color: new Float32Array(3 * width * height).fill(means[0]!),
          alpha: new Float32Array(width * height),
          radii: new Float32Array(count),
        };
      },
      backward: async () => Promise.reject(new Error('not asked for')),
    };
    const drawn = rasterizeTensors(flat, gaussianTensors(single), { camera });
    expect(drawn.depth).toBeUndefined();
    expect(new Set(await read(drawn.color))).toEqual(new Set([single.means[0]]));
    expect(asked.mock.calls).toEqual([[true]]);
  });
});

describe('gradients', () => {
  test('of a loss made of tensors are those of the backward pass called by hand', async () => {
    const rasterizer = referenceRasterizer();
    const params = gaussianTensors(single);
    const background = tensor([0.1, 0.5, 0.9]);
    const drawn = rasterizeTensors(rasterizer, params, { camera, background });
    const target = fill(drawn.color.shape);
    const found = gradients([mean(square(add(drawn.color, target)))], [...Object.values(params), background] as Tensor[]);
    await realize(found, { engine });
    const rendering = await rasterizer.render(double, camera, { background: [...Float32Array.from([0.1, 0.5, 0.9])] });
    const offsets = await read(target);
    const by = await rasterizer.backward(rendering, {
      color: rendering.color.map((v, i) => Math.fround((2 * (Math.fround(v) + offsets[i]!)) / rendering.color.length)),
    });
    const names = ['means', 'quaternions', 'logScales', 'opacityLogits', 'sh', 'background'] as const;
    for (const [i, name] of names.entries()) {
      const size = Math.max(...by[name].map(Math.abs));
      (await read(found[i]!)).forEach((g, j) => expect(Math.abs(g - by[name][j]!)).toBeLessThan(1e-6 * size));
    }
  });

  test('of every input, by difference quotients', async () => {
    await expectSlopes({ ...gaussianTensors(single), background: fill([3]), worldToCamera: pose(camera) }, camera);
  });

  test('of colours and further channels, by difference quotients', async () => {
    await expectSlopes({ ...gaussianTensors(single), colors: fill([3, 3]), features: fill([3, 2]), background: fill([5]) }, camera);
    await expectSlopes({ ...gaussianTensors(single), features: fill([3, 2]), background: fill([3]) }, camera);
  });

  test('of several cameras, by difference quotients', async () => {
    await expectSlopes({ ...gaussianTensors(single), background: fill([2, 3]), worldToCamera: stack([pose(camera), pose(moved)]) }, [
      camera,
      moved,
    ]);
    await expectSlopes({ ...gaussianTensors(single), background: fill([3]) }, [camera, moved]);
  });

  test('of the kernels on the CPU are those of the reference, for several cameras at once', async () => {
    const kernels = cpuRasterizer({ threads: 1 });
    const found: number[][][] = [];
    for (const rasterizer of [kernels, referenceRasterizer()]) {
      const params = gaussianTensors(single);
      const background = tensor([0.25, 0.5, 0.75]);
      const { color, depth } = rasterizeTensors(rasterizer, params, { camera: [camera, moved], background, depth: 'accumulated' });
      const pulled = gradients([add(mean(square(color)), mean(depth!))], [...(Object.values(params) as Tensor[]), background]);
      await realize([...pulled, color], { engine });
      found.push(await Promise.all([color, ...pulled].map(read)));
    }
    await kernels.dispose();
    const [fast, wanted] = found as [number[][], number[][]];
    for (const [i, values] of fast.entries()) {
      const size = Math.max(...wanted[i]!.map(Math.abs));
      // Sums of float32 over the pixels.
      values.forEach((v, j) => expect(Math.abs(v - wanted[i]![j]!)).toBeLessThan(2e-5 * size));
    }
  });

  test('draw once, and again only when asked for a second time', async () => {
    const rasterizer = referenceRasterizer();
    const render = vi.spyOn(rasterizer, 'render');
    const onGradients = vi.fn();
    const params = gaussianTensors(single);
    const { color } = rasterizeTensors(rasterizer, params, { camera: [camera, moved], onGradients });
    const loss = mean(square(color));
    const [first] = gradients([loss], [params.means]);
    const [second] = gradients([loss], [params.means]);
    await realize([loss, first!], { engine });
    expect(render).toHaveBeenCalledTimes(2);
    expect(onGradients.mock.calls.map(([, , i]) => i as number)).toEqual([0, 1]);
    expect(await read(second!)).toEqual(await read(first!));
    expect(render).toHaveBeenCalledTimes(4);
  });
});

test('what does not fit is refused with its shape', () => {
  const draw = (
    change: Partial<GaussianTensors>,
    options: Omit<RasterizeOptions, 'camera'> = {},
    cameras: Camera | readonly Camera[] = camera,
  ): RasterizedTensors =>
    rasterizeTensors(referenceRasterizer(), { ...gaussianTensors(single), ...change }, { ...options, camera: cameras });
  expect(() => draw({ quaternions: fill([3, 3]) })).toThrow(
    '[gaussians/op] tensor does not fit: quaternions=[3, 3], expected [3, 4] for 3 Gaussians and 1 cameras.',
  );
  expect(() => draw({ sh: fill([3, 5, 3]) })).toThrow('[gaussians/op] no degree has these spherical harmonics: sh=[3, 5, 3].');
  expect(() => draw({ means: tensor([1], { dtype: 'int32' }) })).toThrow('means=int32');
  expect(() => draw({}, { background: fill([2]) })).toThrow('background=[2], expected [3]');
  expect(() => draw({}, { worldToCamera: fill([2, 3, 4]) })).toThrow('worldToCamera=[2, 3, 4], expected [3, 4] or [1, 3, 4]');
  expect(() => draw({}, {}, [])).toThrow('[gaussians/op] no camera');
  expect(() => draw({}, {}, [camera, { ...camera, width: 3 }])).toThrow('cameras differ in size: 3x4 beside 9x4');
  const kept: Gaussians<FloatArray> = single;
  expect(gaussianTensors(kept).sh.shape).toEqual([3, shCoefficients(1), 3]);
});
