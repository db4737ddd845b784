import { lookAt } from '@langevin/core';
import { referenceRasterizer, splatRenderer, type GaussianParameters } from '@langevin/gaussians';
import { float32Data, setDefaultEngine, tensor } from '@langevin/tensor';
import { referenceEngine } from '@langevin/tensor/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';

beforeAll(() => setDefaultEngine(referenceEngine()));
afterAll(() => setDefaultEngine(undefined));

type Params = GaussianParameters<Float64Array>;

test('a rasterizer is a renderer of views, gradient included', async () => {
  const params: Params = {
    means: Float64Array.of(0, 0, 0),
    quaternions: Float64Array.of(1, 0, 0, 0),
    logScales: Float64Array.of(-1, -1, -1),
    opacityLogits: Float64Array.of(0.5),
    sh: Float64Array.of(0.3, -0.2, 0.6),
  };
  const renderer = splatRenderer({ rasterizer: referenceRasterizer(), depth: 'accumulated' });
  const camera = lookAt({ eye: [0.2, 0.1, -3], target: [0, 0, 0], width: 8, height: 6, fx: 8, fy: 8, cx: 4, cy: 3 });
  const other = lookAt({ eye: [-0.5, 0.2, -2.5], target: [0, 0, 0], width: 8, height: 6, fx: 8, fy: 8, cx: 4, cy: 3 });
  const views = [{ camera, background: [1, 0, -1] as const }, { camera: other }];
  const weightsOf = (channels: number) =>
    tensor(
      Float32Array.from({ length: 96 * channels }, (_, i) => Math.sin(channels + i)),
      { shape: [2, channels, 6, 8] },
    );
  const weights = { color: weightsOf(3), alpha: weightsOf(1), depth: weightsOf(1) };
  const loss = async (name: keyof Params, at: number, by: number): Promise<number> => {
    const maps = await renderer.render({ ...params, [name]: params[name].map((value, i) => value + (i === at ? by : 0)) }, views);
    let total = 0;
    for (const map of ['color', 'alpha', 'depth'] as const) {
      const [values, w] = [await float32Data(maps[map]!), await float32Data(weights[map])];
      total += values.reduce((sum, value, i) => sum + value * w[i]!, 0);
    }
    return total;
  };
  const { color, alpha, depth, vjp } = await renderer.render(params, views);
  expect([color.shape, alpha!.shape, depth!.shape]).toEqual([
    [2, 3, 6, 8],
    [2, 1, 6, 8],
    [2, 1, 6, 8],
  ]);
  const found = await vjp(weights);
  for (const [name, at] of [
    ['sh', 1],
    ['opacityLogits', 0],
    ['means', 2],
  ] as const) {
    const h = 1e-2;
    const slope = found[name][at]!;
    expect(Math.abs(slope), name).toBeGreaterThan(1e-2);
    expect(slope, name).toBeCloseTo(((await loss(name, at, h)) - (await loss(name, at, -h))) / (2 * h), 2);
  }
  await expect(renderer.render({ ...params, sh: new Float64Array(12) }, views)).rejects.toThrow('harmonics are of another degree');
  await expect(renderer.render(params, [])).rejects.toThrow('there is nothing to look at');
  const again = await renderer.render(params, views);
  await expect(again.vjp({ color: weights.alpha })).rejects.toThrow('gradient is not that of what was drawn: color=[2, 1, 6, 8]');
  expect(() => splatRenderer({ rasterizer: undefined as never })).toThrow('there is nothing to draw with');
});
