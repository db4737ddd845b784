import {
  assetTime,
  boxOf,
  composeScene,
  composeSimilarities,
  concatGaussians,
  deformationData,
  harmonicRotations,
  invertSimilarity,
  mlpDeformation,
  movingScene,
  playback,
  referenceRasterizer,
  rotateHarmonics,
  transformCamera,
  transformGaussians,
  transformPoint,
  type FloatArray,
  type Gaussians,
  type Rendering,
  type ShDegree,
  type Similarity,
} from '@langevin/gaussians';
import { encodeSplatScene4d, readSplatScene4d } from '@langevin/io/splats';
import { torchGenerator } from '@langevin/tensor';
import { describe, expect, test } from 'vitest';
import { harmonics } from '../src/reference/harmonics.ts';
import { inBothPrecisions, randomScene, uniforms } from '../src/testing/random-scene.ts';

const next = uniforms(3);
const between = (): number => 2 * next() - 1;
const anySimilarity = (): Required<Similarity> =>
  composeSimilarities(
    {},
    { scale: 0.3 + 2 * next(), rotation: [between(), between(), between(), between()], translation: [between(), between(), between()] },
  );
const anyDirection = (): [number, number, number] => {
  const [x, y, z] = [between(), between(), between()];
  const length = Math.hypot(x, y, z);
  return [x / length, y / length, z / length];
};

const largest = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Math.max(a.length === b.length ? 0 : Infinity, ...Array.from(a, (v, i) => Math.abs(v - b[i]!)));

function expectClose(a: Gaussians<FloatArray>, b: Gaussians<FloatArray>, tolerance: number): void {
  for (const name of ['means', 'logScales', 'opacityLogits', 'sh'] as const)
    expect(largest(a[name], b[name]), name).toBeLessThan(tolerance);
  // A quaternion and its negative are one rotation.
  for (let at = 0; at < a.quaternions.length; at += 4) {
    const [p, q] = [a.quaternions.slice(at, at + 4), b.quaternions.slice(at, at + 4)];
    expect(
      Math.min(
        largest(p, q),
        largest(
          p,
          q.map((v) => -v),
        ),
      ),
    ).toBeLessThan(tolerance);
  }
}

describe('turning spherical harmonics', () => {
  test('turned coefficients in turned directions give the colours of before, degrees 1 to 3', () => {
    for (let round = 0; round < 20; round++) {
      const { rotation } = anySimilarity();
      const r = Float64Array.from([
        ...transformPoint({ rotation }, [1, 0, 0]),
        ...transformPoint({ rotation }, [0, 1, 0]),
        ...transformPoint({ rotation }, [0, 0, 1]),
      ]);
      const byRows = [0, 3, 6, 1, 4, 7, 2, 5, 8].map((i) => r[i]!);
      for (const degree of [1, 2, 3] as ShDegree[]) {
        const sh = Float64Array.from({ length: 3 * (degree + 1) ** 2 }, between);
        const turned = rotateHarmonics(sh, degree, byRows);
        const direction = anyDirection();
        const color = (from: Float64Array, at: readonly [number, number, number], c: number): number =>
          harmonics(at, degree).reduce((sum, { value }, k) => sum + value * from[3 * k + c]!, 0);
        for (const c of [0, 1, 2])
          expect(Math.abs(color(turned, transformPoint({ rotation }, direction), c) - color(sh, direction, c))).toBeLessThan(1e-12);
        for (const matrix of harmonicRotations(byRows, degree)) {
          // Orthogonal: functions of a degree stay orthonormal.
          matrix.forEach((a, i) =>
            matrix.forEach((b, j) => expect(Math.abs(a.reduce((sum, v, k) => sum + v * b[k]!, 0) - (i === j ? 1 : 0))).toBeLessThan(1e-12)),
          );
        }
      }
    }
  });

  test('degree 1 by hand: a quarter turn about z', () => {
    // R takes x to y and y to -x. The colours seen along x, by -C1 x, are seen along y afterwards, by -C1 y.
    const [matrix] = harmonicRotations([0, -1, 0, 1, 0, 0, 0, 0, 1], 1);
    expect(largest(matrix!.flat(), [0, 0, 1, 0, 1, 0, -1, 0, 0])).toBeLessThan(1e-14);
  });
});

describe('placing Gaussians', () => {
  const { gaussians, camera } = randomScene({ seed: 11, count: 8, size: 14 });

  test.each(['pinhole', 'orthographic'] as const)('the moved camera sees of the moved scene what it saw before: %s', async (kind) => {
    const rasterizer = referenceRasterizer();
    const from = kind === 'pinhole' ? camera : randomScene({ seed: 12, count: 1, size: 14, kind }).camera;
    const before = await rasterizer.render(gaussians, from, { depth: 'accumulated' });
    for (let round = 0; round < 4; round++) {
      const similarity = anySimilarity();
      const after: Rendering<Float64Array> = await rasterizer.render(
        transformGaussians(gaussians, similarity),
        transformCamera(from, similarity),
        { depth: 'accumulated', near: 0.01 * similarity.scale },
      );
      expect(largest(after.color, before.color)).toBeLessThan(1e-9);
      expect(
        largest(
          after.depth!.map((v) => v / similarity.scale),
          before.depth!,
        ),
      ).toBeLessThan(1e-9);
    }
    expect(Math.max(...before.alpha)).toBeGreaterThan(0.5);
  });

  test('one after the other is both at once; and back', () => {
    const [a, b] = [anySimilarity(), anySimilarity()];
    expectClose(transformGaussians(transformGaussians(gaussians, a), b), transformGaussians(gaussians, composeSimilarities(b, a)), 1e-10);
    expectClose(transformGaussians(transformGaussians(gaussians, a), invertSimilarity(a)), gaussians, 1e-10);
  });

  test('nothing changes nothing, bit for bit', () => {
    const { single } = inBothPrecisions(gaussians);
    expect(transformGaussians(single, {})).toEqual(single);
    expect(transformGaussians(single, { rotation: [-2, 0, 0, 0] })).toEqual(single);
    expect(transformGaussians(single, { scale: 2 }).sh).toEqual(single.sh);
  });

  test('what is no similarity is refused', () => {
    expect(() => transformGaussians(gaussians, { scale: 0 })).toThrow(
      '[gaussians/compose] scale is out of range: scale=0. Pass a number > 0; mirrors are no rotations.',
    );
    expect(() => transformGaussians(gaussians, { rotation: [0, 0, 0, 0] })).toThrow('rotation=[0, 0, 0, 0]');
    expect(() => transformGaussians(gaussians, { translation: [0, NaN, 0] })).toThrow('translation=[0, NaN, 0]');
  });
});

describe('scenes of files', () => {
  const { single } = inBothPrecisions(randomScene({ seed: 5, count: 3, degree: 1 }).gaussians);
  const motion = mlpDeformation({ box: boxOf(single), width: 8, depth: 1 });
  const times = { start: 10, end: 12, loop: 'none' } as const;
  const still = { cloud: single, times, deformation: null, placement: { translation: [0, 5, 0] } } as const;
  /** Weights that move, unlike those at first. */
  const moving = async () => {
    const { tensors, ...rest } = await deformationData(motion, motion.init(torchGenerator(1)));
    return {
      ...rest,
      tensors: Object.fromEntries(
        Object.entries(tensors).map(([name, tensor]) => [name, { ...tensor, data: tensor.data.map((_, i) => Math.sin(i + 1)) }]),
      ),
    };
  };

  test('each asset plays its own time where it stands, through a file', async () => {
    const deformation = await moving();
    const placement = { rotation: [0.5, 0.5, 0.5, 0.5], scale: 2, offset: -1, duration: 4 } as const;
    const bytes = encodeSplatScene4d({ assets: [still, { cloud: single, times, deformation, placement }] });
    const { at, times: whole } = movingScene((await readSplatScene4d(bytes)).assets);
    expect(whole).toEqual({ start: -1, end: 3, loop: 'none' });
    const alone = playback(single, deformation);
    for (const [time, own] of [
      [-1, 0],
      [0, 0.25],
      [2, 0.75],
      [3, 1],
      [9, 1],
    ] as const) {
      expect(at(time)).toEqual(concatGaussians([transformGaussians(single, still.placement), transformGaussians(alone(own), placement)]));
    }
    expect(largest(at(2).means, at(0).means)).toBeGreaterThan(0.1);
    expect(at()).toEqual(at(-1));
  });

  test('by default an asset moves when its times say, and as they say beyond', async () => {
    const deformation = await moving();
    const asset = { cloud: single, times, deformation, placement: {} };
    expect(movingScene([still]).times).toBeUndefined();
    expect(movingScene([still, asset]).times).toEqual(times);
    const loop = { ...asset, times: { ...times, loop: 'repeat' } } as const;
    expect(movingScene([loop, { ...loop, placement: { scale: 2 } }]).times).toEqual({ start: 10, end: 12, loop: 'repeat' });
    // Out of step they have no common period that anybody could name.
    expect(movingScene([loop, { ...loop, placement: { offset: 11 } }]).times).toEqual({ start: 10, end: 13, loop: 'none' });
    expect(movingScene([loop]).at(12.5).means).toEqual(playback(single, deformation)(0.25).means);
    expect(movingScene([{ ...asset, placement: { beyond: 'mirror' } }]).times?.loop).toBe('mirror');
  });
});

describe('scenes', () => {
  const { single: cat } = inBothPrecisions(randomScene({ seed: 1, count: 2, degree: 1 }).gaussians);
  const { single: room } = inBothPrecisions(randomScene({ seed: 2, count: 3, degree: 3 }).gaussians);

  test('harmonics of lower degrees get zeros, and the picture is that of each when they are far apart', async () => {
    const both = concatGaussians([cat, room]);
    expect([both.count, both.degree, both.sh.length]).toEqual([5, 3, 5 * 48]);
    expect([...both.sh.slice(0, 12)]).toEqual([...cat.sh.slice(0, 12)]);
    expect(new Set(both.sh.slice(12, 48))).toEqual(new Set([0]));
    expect([...both.sh.slice(96)]).toEqual([...room.sh]);

    const { camera } = randomScene({ seed: 2, count: 1, size: 12 });
    const rasterizer = referenceRasterizer();
    const double = (g: Gaussians): Gaussians<Float64Array> => ({
      ...g,
      means: Float64Array.from(g.means),
      quaternions: Float64Array.from(g.quaternions),
      logScales: Float64Array.from(g.logScales),
      opacityLogits: Float64Array.from(g.opacityLogits),
      sh: Float64Array.from(g.sh),
    });
    const alone = await rasterizer.render(double(room), camera);
    const composed = await rasterizer.render(
      double(composeScene([{ gaussians: cat, transform: { translation: [0, 0, -50] } }, { gaussians: room }])()),
      camera,
    );
    expect(largest(composed.color, alone.color)).toBe(0);
  });

  test('each asset has a time of its own', () => {
    expect(assetTime({}, 0.25)).toBe(0.25);
    expect([-1, 2, 3, 9].map((time) => assetTime({ offset: 2, duration: 4 }, time))).toEqual([0, 0, 0.25, 1]);
    expect([-1, 1.25].map((time) => assetTime({ beyond: 'loop' }, time))).toEqual([0, 0.25]);
    const moving = (time: number): Gaussians => ({ ...cat, means: cat.means.map(() => time) });
    const at = composeScene([
      { gaussians: moving, offset: 0.5 },
      { gaussians: moving, transform: { translation: [1, 1, 1], scale: 2 } },
    ]);
    expect([...at(0.75).means]).toEqual([...Array<number>(6).fill(0.25), ...Array<number>(6).fill(2.5)]);
    expect(() => at(NaN)).toThrow('[gaussians/compose] no time: time=NaN');
    expect(() => composeScene([])).toThrow('scene is empty');
  });

  test('assets that moved, turned and are asked for often have the harmonics of one that did not', () => {
    const transform = anySimilarity();
    const other = { ...room, sh: room.sh.map((value) => value + 1) };
    // Other harmonics at each half: what was turned before must not be given again.
    const at = composeScene([{ gaussians: (time) => (time < 0.5 ? room : other), transform }]);
    for (const time of [0, 0.25, 0.75, 0.1, 1]) expect(at(time)).toEqual(transformGaussians(time < 0.5 ? room : other, transform));
    const [a, b] = [at(0).sh, at(0.25).sh];
    expect(a).not.toBe(room.sh);
    expect(a).toEqual(b);
  });
});
