import { type Camera, lookAt } from '@langevin/core';
import { concatGaussians, referenceRasterizer, type Gaussians, type Rendering } from '@langevin/gaussians';
import { UserError } from '@langevin/tensor';
import { describe, expect, test } from 'vitest';
import { ball, STRAIGHT } from '../src/testing/ball.ts';
import { randomScene } from '../src/testing/random-scene.ts';

function farthest(a: Float64Array, b: Float64Array): number {
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
}

const { render } = referenceRasterizer();
const distance = (a: Rendering<Float64Array>, b: Rendering<Float64Array>): number =>
  Math.max(farthest(a.color, b.color), farthest(a.alpha, b.alpha));

describe('closed forms', () => {
  test('an isotropic Gaussian on the axis is a Gaussian in the picture, blurred by 0.3 px^2, over the background', async () => {
    const [deviation, z, opacity] = [0.2, 4, 0.6];
    const rgb = [0.9, 0.2, 0.4];
    const background = [0.1, 0.7, 0.3];
    const drawn = await render(ball({ mean: [0, 0, z], deviation, opacity, rgb }), STRAIGHT, { background, depth: 'accumulated' });
    const variance = ((20 * deviation) / z) ** 2 + 0.3;
    for (let row = 0; row < 9; row++) {
      for (let column = 0; column < 9; column++) {
        const product = opacity * Math.exp(-((column - 4) ** 2 + (row - 4) ** 2) / (2 * variance));
        const alpha = product < 1 / 255 ? 0 : product;
        expect(drawn.alpha[9 * row + column]).toBeCloseTo(alpha, 12);
        expect(drawn.depth![9 * row + column]).toBeCloseTo(alpha * z, 12);
        rgb.forEach((value, channel) =>
          expect(drawn.color[3 * (9 * row + column) + channel]).toBeCloseTo(value * alpha + background[channel]! * (1 - alpha), 12),
        );
      }
    }
    expect(drawn.radii[0]).toBe(Math.ceil(Math.sqrt(2 * Math.log(255 * opacity)) * Math.sqrt(variance)));
  });

  test('antialiasing keeps the light of what is smaller than a pixel', async () => {
    const light = async (antialiasing: 'none' | 'mip', deviation: number): Promise<number> => {
      const { alpha } = await render(ball({ mean: [0, 0, 4], deviation, opacity: 0.9, rgb: [1, 1, 1] }), STRAIGHT, { antialiasing });
      return alpha.reduce((sum, value) => sum + value, 0);
    };
    // 2 pi * opacity * variance before the blur is what the integral over the picture is.
    const variance = ((20 * 0.06) / 4) ** 2;
    expect((await light('mip', 0.06)) / (await light('none', 0.06))).toBeCloseTo(variance / (variance + 0.3), 1);
    expect(
      (await render(ball({ mean: [0, 0, 4], deviation: 0.06, opacity: 0.9, rgb: [1, 1, 1] }), STRAIGHT, { antialiasing: 'mip' })).alpha[40],
    ).toBeCloseTo(0.9 * (variance / (variance + 0.3)), 10);
  });

  test('parallel rays show the same size at every depth', async () => {
    const camera: Camera = { ...STRAIGHT, kind: 'orthographic' };
    const near = await render(ball({ mean: [0.05, 0, 1], deviation: 0.08, opacity: 0.6, rgb: [1, 0, 0] }), camera);
    const far = await render(ball({ mean: [0.05, 0, 9], deviation: 0.08, opacity: 0.6, rgb: [1, 0, 0] }), camera);
    expect(distance(near, far)).toBeLessThan(1e-12);
    expect(near.alpha[41]!).toBeCloseTo(0.6 * Math.exp(0), 10);
  });

  test('opacity that does not reach one step of 255 is absent', async () => {
    const { gaussians, camera } = randomScene({ seed: 1, count: 6, size: 12, degree: 0 });
    const extra = ball({ mean: [0, 0, 0], deviation: 0.3, opacity: 1 / 256, rgb: [1, 1, 1] });
    expect(distance(await render(concatGaussians([gaussians, extra]), camera), await render(gaussians, camera))).toBe(0);
  });

  test('a pixel is finished before what would leave 1e-4 of the light, which is not added', async () => {
    const wall = (z: number, rgb: readonly number[]): Gaussians<Float64Array> =>
      ball({ mean: [0, 0, z], deviation: 3, opacity: 0.98, rgb });
    const drawn = await render(concatGaussians([wall(1, [1, 0, 0]), wall(2, [0, 1, 0]), wall(3, [0, 0, 1])]), STRAIGHT, {
      background: [0.5, 0.5, 0.5],
    });
    // 4e-4 is left after two; the third would leave 8e-6.
    expect(1 - drawn.alpha[40]!).toBeCloseTo(4e-4, 10);
    [0.98 + 2e-4, 0.02 * 0.98 + 2e-4, 2e-4].forEach((value, channel) => expect(drawn.color[120 + channel]).toBeCloseTo(value, 10));
  });
});

describe('invariances', () => {
  test('the order of rows does not matter', async () => {
    const { gaussians, camera } = randomScene({ seed: 2, count: 9, size: 16 });
    const order = [4, 8, 1, 0, 7, 2, 6, 3, 5];
    const rows = (array: Float64Array): Float64Array =>
      Float64Array.from(order.flatMap((row) => [...array.subarray((row * array.length) / 9, ((row + 1) * array.length) / 9)]));
    const shuffled = {
      ...gaussians,
      means: rows(gaussians.means),
      quaternions: rows(gaussians.quaternions),
      logScales: rows(gaussians.logScales),
      opacityLogits: rows(gaussians.opacityLogits),
      sh: rows(gaussians.sh),
    };
    expect(distance(await render(shuffled, camera), await render(gaussians, camera))).toBe(0);
  });

  test.for(['pinhole', 'orthographic'] as const)('scene and camera may move together (%s)', async (kind) => {
    const { gaussians, camera } = randomScene({ seed: 3, count: 9, size: 16, degree: 0, kind });
    // A turn by 2 acos(w) about an axis, then a shift, of the world.
    const q = [0.8, 0.36, -0.48, 0] as const;
    const turn = (v: readonly number[]): number[] => {
      const [w, x, y, z] = q;
      const [a, b, c] = v as [number, number, number];
      const t = [2 * (y * c - z * b), 2 * (z * a - x * c), 2 * (x * b - y * a)] as const;
      return [a + w * t[0] + y * t[2] - z * t[1], b + w * t[1] + z * t[0] - x * t[2], c + w * t[2] + x * t[1] - y * t[0]];
    };
    const shift = [0.7, -2, 1.1];
    const compose = (
      [w, x, y, z]: readonly [number, number, number, number],
      [a, b, c, d]: readonly [number, number, number, number],
    ): number[] => [
      w * a - x * b - y * c - z * d,
      w * b + x * a + y * d - z * c,
      w * c - x * d + y * a + z * b,
      w * d + x * c - y * b + z * a,
    ];
    const each = (array: Float64Array, length: number, map: (row: number[]) => number[]): Float64Array =>
      Float64Array.from(
        Array.from({ length: array.length / length }, (_, i) => map([...array.subarray(i * length, (i + 1) * length)])).flat(),
      );
    const moved = {
      ...gaussians,
      means: each(gaussians.means, 3, (m) => turn(m).map((value, i) => value + shift[i]!)),
      quaternions: each(gaussians.quaternions, 4, (row) => compose(q, row as [number, number, number, number])),
    };
    // The camera's new rows are the old ones turned; its shift undoes that of the world.
    const rows = [0, 4, 8].map((row) => turn(camera.worldToCamera.slice(row, row + 3)));
    const worldToCamera = rows.flatMap((row, i) => [
      ...row,
      camera.worldToCamera[4 * i + 3]! - row.reduce((sum, value, k) => sum + value * shift[k]!, 0),
    ]);
    expect(distance(await render(moved, { ...camera, worldToCamera }), await render(gaussians, camera))).toBeLessThan(1e-12);
  });

  test('colours of a higher degree depend on the direction alone: twice as far, twice as big, the same picture', async () => {
    const { gaussians, camera } = randomScene({ seed: 4, count: 7, size: 16 });
    const grown = {
      ...gaussians,
      means: gaussians.means.map((value) => 2 * value),
      logScales: gaussians.logScales.map((value) => value + Math.log(2)),
    };
    const worldToCamera = camera.worldToCamera.map((value, i) => (i % 4 === 3 ? 2 * value : value));
    expect(distance(await render(grown, { ...camera, worldToCamera }), await render(gaussians, camera))).toBeLessThan(1e-12);
  });

  test('assets that do not overlap in the picture compose by addition', async () => {
    const left = ball({ mean: [-0.5, 0, 4], deviation: 0.08, opacity: 0.8, rgb: [1, 0.2, 0] });
    const right = ball({ mean: [0.6, 0.1, 3], deviation: 0.05, opacity: 0.5, rgb: [0, 0.2, 1] });
    const [both, one, other] = [
      await render(concatGaussians([left, right]), STRAIGHT),
      await render(left, STRAIGHT),
      await render(right, STRAIGHT),
    ];
    both.color.forEach((value, i) => expect(value).toBeCloseTo(one.color[i]! + other.color[i]!, 12));
  });
});

describe('edges', () => {
  test('nothing at all is the background', async () => {
    const rasterizer = referenceRasterizer();
    const { gaussians, camera } = randomScene({ seed: 1, count: 0, size: 4 });
    const drawn = await rasterizer.render(gaussians, camera, { background: [0.1, 0.2, 0.3] });
    expect([...drawn.color.subarray(0, 3)]).toEqual([0.1, 0.2, 0.3]);
    const { background, means } = await rasterizer.backward(drawn, { color: new Float64Array(drawn.color.length).fill(1) });
    expect([...background]).toEqual([4, 4, 4]);
    expect(means).toHaveLength(0);
  });

  test('what is behind the near plane or not finite is not drawn and has no gradient', async () => {
    const rasterizer = referenceRasterizer();
    const nan = { ...ball({ mean: [0, 0, 2], deviation: 0.2, opacity: 0.8, rgb: [1, 1, 1] }), quaternions: Float64Array.of(NaN, 0, 0, 0) };
    const zero = { ...ball({ mean: [0, 0, 2], deviation: 0.2, opacity: 0.8, rgb: [1, 1, 1] }), quaternions: new Float64Array(4) };
    const drawn = await rasterizer.render(
      concatGaussians([
        ball({ mean: [0, 0, -1], deviation: 0.2, opacity: 0.8, rgb: [1, 1, 1] }),
        ball({ mean: [0, 0, 0.005], deviation: 0.2, opacity: 0.8, rgb: [1, 1, 1] }),
        nan,
        zero,
        ball({ mean: [5, 0, 2], deviation: 0.1, opacity: 0.8, rgb: [1, 1, 1] }),
      ]),
      STRAIGHT,
    );
    expect([...drawn.radii]).toEqual([0, 0, 0, 0, 0]);
    const { means, quaternions } = await rasterizer.backward(drawn, { color: drawn.color.map(() => 1) });
    expect([...means, ...quaternions].every((value) => value === 0)).toBe(true);
  });

  test('wrong input is refused by name', async () => {
    const rasterizer = referenceRasterizer();
    const one = ball({ mean: [0, 0, 2], deviation: 0.2, opacity: 0.8, rgb: [1, 1, 1] });
    await expect(rasterizer.render(one, STRAIGHT, { background: [1, 2] })).rejects.toThrow(
      '[gaussians/reference] background does not have a number for each channel: background.length=2. Pass 3 numbers.',
    );
    await expect(rasterizer.render(one, STRAIGHT, { degree: 1 })).rejects.toThrow('degree=1');
    await expect(rasterizer.render(one, STRAIGHT, { near: 0 })).rejects.toThrow('near=0');
    await expect(rasterizer.render({ ...one, count: 2 }, STRAIGHT, {})).rejects.toThrow(UserError);
    const drawn = await rasterizer.render(one, STRAIGHT);
    await expect(rasterizer.backward(drawn, { alpha: new Float64Array(3) })).rejects.toThrow('alpha.length=3, expected 81');
    await expect(rasterizer.backward(drawn, { depth: new Float64Array(81) })).rejects.toThrow('not drawn: depth');
    await rasterizer.backward(drawn, {});
    await expect(rasterizer.backward(drawn, {})).rejects.toThrow('no backward pass');
    await rasterizer.dispose();
    await expect(rasterizer.render(one, STRAIGHT)).rejects.toThrow('disposed');
  });

  test('a camera that looks is that of lookAt', async () => {
    const camera = lookAt({ ...STRAIGHT, eye: [0, 0, -4], target: [0, 0, 0] });
    const drawn = await render(ball({ mean: [0, 0, 0], deviation: 0.2, opacity: 0.6, rgb: [1, 1, 1] }), camera);
    expect(drawn.alpha[40]).toBeCloseTo(0.6, 12);
  });
});
