import { checkViews, lookAt, type Renderer } from '@langevin/core';
import { referenceRasterizer, type Gaussians, type RenderGradients } from '@langevin/gaussians';
import { float32Data, setDefaultEngine, tensor } from '@langevin/tensor';
import { referenceEngine } from '@langevin/tensor/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';

beforeAll(() => setDefaultEngine(referenceEngine()));
afterAll(() => setDefaultEngine(undefined));

type Params = Pick<Gaussians<Float64Array>, 'means' | 'quaternions' | 'logScales' | 'opacityLogits' | 'sh'>;

/** A rasterizer as what draws views, for one picture at a time: [height, width, 3] in [0, 1] becomes [1, 3, height, width] in [-1, 1]. */
function rendererOf(rasterizer: ReturnType<typeof referenceRasterizer>, rest: Pick<Gaussians, 'count' | 'degree'>): Renderer<Params> {
  return {
    name: rasterizer.name,
    render: async (params, views) => {
      checkViews('gaussians/renderer', views);
      const { camera, background = [-1, -1, -1] } = views[0]!;
      const { width, height } = camera;
      const behind = background.map((value) => (value + 1) / 2);
      const drawn = await rasterizer.render({ ...rest, ...params }, camera, { background: behind });
      const planes = Float32Array.from({ length: 3 * width * height }, (_, i) => {
        const [channel, pixel] = [Math.floor(i / (width * height)), i % (width * height)];
        return 2 * drawn.color[3 * pixel + channel]! - 1;
      });
      return {
        color: tensor(planes, { shape: [1, 3, height, width] }),
        vjp: async ({ color }): Promise<Params> => {
          const given = color === undefined ? new Float32Array(planes.length) : await float32Data(color);
          const back = Float64Array.from(given, (_, i) => 2 * given[(i % 3) * width * height + Math.floor(i / 3)]!);
          const gradients: RenderGradients<Float64Array> = await rasterizer.backward(drawn, { color: back });
          return gradients;
        },
      };
    },
  };
}

test('a rasterizer is a renderer of views, gradient included', async () => {
  const params: Params = {
    means: Float64Array.of(0, 0, 0),
    quaternions: Float64Array.of(1, 0, 0, 0),
    logScales: Float64Array.of(-1, -1, -1),
    opacityLogits: Float64Array.of(0.5),
    sh: Float64Array.of(0.3, -0.2, 0.6),
  };
  const renderer = rendererOf(referenceRasterizer(), { count: 1, degree: 0 });
  const camera = lookAt({ eye: [0.2, 0.1, -3], target: [0, 0, 0], width: 8, height: 6, fx: 8, fy: 8, cx: 4, cy: 3 });
  const views = [{ camera, background: [1, 0, -1] as const }];
  const weights = tensor(
    Float32Array.from({ length: 144 }, (_, i) => Math.sin(i)),
    { shape: [1, 3, 6, 8] },
  );
  const loss = async (by: number): Promise<number> => {
    const { color } = await renderer.render({ ...params, sh: params.sh.map((value, i) => value + (i === 1 ? by : 0)) }, views);
    const [values, w] = [await float32Data(color), await float32Data(weights)];
    return values.reduce((total, value, i) => total + value * w[i]!, 0);
  };
  const { color, vjp } = await renderer.render(params, views);
  expect(color.shape).toEqual([1, 3, 6, 8]);
  const slope = (await vjp({ color: weights })).sh[1]!;
  const h = 1e-2;
  expect(slope).toBeCloseTo(((await loss(h)) - (await loss(-h))) / (2 * h), 3);
  expect(Math.abs(slope)).toBeGreaterThan(1e-2);
});
