import { type Camera, lookAt } from '@langevin/core';
import { transformCamera } from '../compose/similarity.ts';
import { concatGaussians, transformGaussians } from '../compose/transform.ts';
import { PARAMETERS, rowLength, type FloatArray, type Gaussians } from '../gaussians.ts';
import type { Rasterizer, RenderOptions } from '../rasterizer.ts';
import { ball, SIDE, STRAIGHT } from './ball.ts';
import { randomScene } from './random-scene.ts';

/** A picture, in whatever precision it was drawn. */
interface Drawn {
  readonly color: ArrayLike<number>;
  readonly alpha: ArrayLike<number>;
  readonly depth?: ArrayLike<number>;
}

type Draw = (gaussians: Gaussians<Float64Array>, camera: Camera, options?: RenderOptions) => Promise<Drawn>;

/** What has to come out whatever draws. */
export interface ClosedForm {
  readonly name: string;
  /** The largest difference of a pixel, relative to depths above 1. */
  readonly gap: (draw: Draw) => Promise<number>;
}

/** What float64 may differ by, and float32: the bound for both rasterizers in single precision. */
export const CLOSED_FORM_TOLERANCE = { reference: 1e-12, single: 1e-5 } as const;

/** How a rasterizer in single precision draws scenes that are written in float64. */
export function drawSingle({ render }: Rasterizer): Draw {
  return (gaussians, camera, options) =>
    render(
      { count: gaussians.count, degree: gaussians.degree, ...mapArrays(gaussians, (array) => Float32Array.from(array)) },
      camera,
      options,
    );
}

/** How the reference draws them. */
export function drawDouble({ render }: Rasterizer<Float64Array>): Draw {
  return (gaussians, camera, { features, colors, reuse: _, ...options } = {}) =>
    render(gaussians, camera, {
      ...options,
      ...(features && { features: Float64Array.from(features) }),
      ...(colors && { colors: Float64Array.from(colors) }),
    });
}

function mapArrays<A extends FloatArray>(
  { degree, ...arrays }: Gaussians<Float64Array>,
  map: (array: Float64Array, length: number) => A,
): Pick<Gaussians<A>, (typeof PARAMETERS)[number]> {
  return Object.fromEntries(PARAMETERS.map((name) => [name, map(arrays[name], rowLength(name, degree))])) as Pick<
    Gaussians<A>,
    (typeof PARAMETERS)[number]
  >;
}

/** The largest difference of pixels, each from its own value. */
function apart(drawn: Drawn, truth: Drawn): number {
  let worst = 0;
  for (const name of ['color', 'alpha', 'depth'] as const) {
    const [a, b] = [drawn[name], truth[name]];
    if (a === undefined || b === undefined) continue;
    if (a.length !== b.length) return Infinity;
    for (let i = 0; i < b.length; i++) {
      const gap = Math.abs(a[i]! - b[i]!) / Math.max(1, Math.abs(b[i]!));
      if (Number.isNaN(gap)) return Infinity;
      worst = Math.max(worst, gap);
    }
  }
  return worst;
}

/** Alpha at a pixel by a formula of its offset from the middle pixel, and what follows from it for one Gaussian. */
function oneGaussian({
  alpha,
  rgb,
  background,
  depth,
}: {
  readonly alpha: (x: number, y: number) => number;
  readonly rgb: readonly number[];
  readonly background: readonly number[];
  readonly depth: number;
}): Drawn {
  const alphas = Array.from({ length: SIDE * SIDE }, (_, pixel) => {
    const product = alpha((pixel % SIDE) - 4, Math.floor(pixel / SIDE) - 4);
    return product < 1 / 255 ? 0 : product;
  });
  return {
    alpha: alphas,
    color: alphas.flatMap((a) => rgb.map((value, channel) => value * a + background[channel]! * (1 - a))),
    depth: alphas.map((a) => a * depth),
  };
}

/** What moves a scene in these statements. */
const MOTION = { rotation: [0.8, 0.36, -0.48, 0], translation: [0.7, -2, 1.1] } as const;

export const CLOSED_FORMS: readonly ClosedForm[] = [
  {
    name: 'a round Gaussian on the axis is a Gaussian in the picture, blurred by 0.3 px^2, over the background, at its depth',
    gap: async (draw) => {
      const [deviation, z, opacity] = [0.2, 4, 0.6];
      const [rgb, background] = [
        [0.9, 0.2, 0.4],
        [0.1, 0.7, 0.3],
      ];
      const variance = ((20 * deviation) / z) ** 2 + 0.3;
      const drawn = await draw(ball({ mean: [0, 0, z], deviation, opacity, rgb }), STRAIGHT, { background, depth: 'accumulated' });
      return apart(
        drawn,
        oneGaussian({ alpha: (x, y) => opacity * Math.exp(-(x * x + y * y) / (2 * variance)), rgb, background, depth: z }),
      );
    },
  },
  {
    name: 'along parallel rays a long Gaussian, turned by 30 degrees, is the ellipse that it is',
    gap: async (draw) => {
      const [long, short, opacity, angle] = [0.09, 0.04, 0.7, Math.PI / 6];
      const [rgb, background] = [
        [0.2, 0.9, 0.5],
        [0, 0, 1],
      ];
      const gaussian = {
        ...ball({ mean: [0, 0, 5], deviation: 1, opacity, rgb }),
        logScales: Float64Array.of(Math.log(long), Math.log(short), -9),
        quaternions: Float64Array.of(Math.cos(angle / 2), 0, 0, Math.sin(angle / 2)),
      };
      const [c, s] = [Math.cos(angle), Math.sin(angle)];
      const [a, b] = [(20 * long) ** 2, (20 * short) ** 2];
      const [xx, xy, yy] = [c * c * a + s * s * b + 0.3, c * s * (a - b), s * s * a + c * c * b + 0.3];
      const alpha = (x: number, y: number): number =>
        opacity * Math.exp(-(yy * x * x - 2 * xy * x * y + xx * y * y) / (2 * (xx * yy - xy * xy)));
      return apart(
        await draw(gaussian, { ...STRAIGHT, kind: 'orthographic' }, { background, depth: 'accumulated' }),
        oneGaussian({ alpha, rgb, background, depth: 5 }),
      );
    },
  },
  {
    name: 'antialiasing keeps the light of what is smaller than a pixel: opacity times variance over blurred variance',
    gap: async (draw) => {
      const [deviation, opacity] = [0.06, 0.9];
      const variance = ((20 * deviation) / 4) ** 2;
      const alpha = (x: number, y: number): number =>
        opacity * (variance / (variance + 0.3)) * Math.exp(-(x * x + y * y) / (2 * (variance + 0.3)));
      const [rgb, background] = [
        [1, 1, 1],
        [0, 0, 0],
      ];
      return apart(
        await draw(ball({ mean: [0, 0, 4], deviation, opacity, rgb }), STRAIGHT, { antialiasing: 'mip', depth: 'accumulated' }),
        oneGaussian({ alpha, rgb, background, depth: 4 }),
      );
    },
  },
  {
    name: 'a pixel is finished before what would leave 1e-4 of the light, which is not added',
    gap: async (draw) => {
      const wall = (z: number, rgb: readonly number[]): Gaussians<Float64Array> =>
        ball({ mean: [0, 0, z], deviation: 1000, opacity: 0.98, rgb });
      const drawn = await draw(
        concatGaussians([wall(1, [1, 0, 0]), wall(2, [0, 1, 0]), wall(3, [0, 0, 1])]),
        { ...STRAIGHT, kind: 'orthographic', width: 1, height: 1, cx: 0.5, cy: 0.5 },
        { background: [0.5, 0.5, 0.5] },
      );
      return apart(drawn, { color: [0.98 + 2e-4, 0.02 * 0.98 + 2e-4, 2e-4], alpha: [1 - 4e-4] });
    },
  },
  {
    name: 'opacity 0 is absent',
    gap: async (draw) => {
      const { gaussians, camera } = randomScene({ seed: 1, count: 9, size: 16 });
      const extra = { ...randomScene({ seed: 2, count: 5 }).gaussians, opacityLogits: new Float64Array(5).fill(-40) };
      return apart(await draw(concatGaussians([extra, gaussians]), camera), await draw(gaussians, camera));
    },
  },
  {
    name: 'the order of rows does not matter',
    gap: async (draw) => {
      const { gaussians, camera } = randomScene({ seed: 2, count: 9, size: 16 });
      const order = [4, 8, 1, 0, 7, 2, 6, 3, 5];
      const shuffled = mapArrays(gaussians, (array, length) =>
        Float64Array.from(order.flatMap((row) => [...array.subarray(row * length, (row + 1) * length)])),
      );
      return apart(
        await draw({ ...gaussians, ...shuffled }, camera, { depth: 'expected' }),
        await draw(gaussians, camera, { depth: 'expected' }),
      );
    },
  },
  ...(['pinhole', 'orthographic'] as const).map((kind): ClosedForm => ({
    name: `scene, with harmonics of degree 3, and camera may move together (${kind})`,
    gap: async (draw) => {
      const { gaussians, camera } = randomScene({ seed: 3, count: 9, size: 16, kind });
      return apart(
        await draw(transformGaussians(gaussians, MOTION), transformCamera(camera, MOTION), { antialiasing: 'mip' }),
        await draw(gaussians, camera, { antialiasing: 'mip' }),
      );
    },
  })),
  {
    name: 'twice as far and twice as big is the same picture',
    gap: async (draw) => {
      const { gaussians, camera } = randomScene({ seed: 4, count: 7, size: 16 });
      const worldToCamera = camera.worldToCamera.map((value, i) => (i % 4 === 3 ? 2 * value : value));
      return apart(await draw(transformGaussians(gaussians, { scale: 2 }), { ...camera, worldToCamera }), await draw(gaussians, camera));
    },
  },
  {
    name: 'assets that are far apart compose by addition over black',
    gap: async (draw) => {
      const { gaussians } = randomScene({ seed: 5, count: 8, scales: [0.03, 0.1] });
      const camera = lookAt({ width: 60, height: 16, fx: 30, fy: 30, cx: 30, cy: 8, eye: [0, 0, -8], target: [0, 0, 0] });
      const [left, right] = [
        transformGaussians(gaussians, { translation: [-5, 0, 0] }),
        transformGaussians(gaussians, { translation: [5, 0.3, 1] }),
      ];
      const [both, one, other] = [await draw(concatGaussians([left, right]), camera), await draw(left, camera), await draw(right, camera)];
      const sum = (name: 'color' | 'alpha'): readonly number[] => Array.from(one[name], (value, i) => value + other[name][i]!);
      return apart(both, { color: sum('color'), alpha: sum('alpha') });
    },
  },
];
