import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bytesSource } from '@langevin/io';
import {
  readSplatFile,
  readSplats4dFile,
  readSplatScene4dFile,
  splatFormatOfFile,
  writeSplatFile,
  writeSplats4dFile,
  writeSplatScene4dFile,
} from '@langevin/io/node';
import type { ShDegree, SplatCloud } from '@langevin/io/splats';
import {
  detectSplatFormat,
  DOWN_FORWARD_TO_UP_BACK,
  encodeSplats4d,
  encodeSplatScene4d,
  flipAxes,
  readSplats,
  readSplats4d,
  readSplatScene4d,
  SH_C0,
  splatFormatForName,
  splatFormats,
  writeSplats,
} from '@langevin/io/splats';
import { syntheticCloud } from '@langevin/io/testing';
import { UnsupportedError, UserError } from '@langevin/tensor';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { coefficients, largestDifference, largestTurn, opacities, reordered, rotations, sameBytes } from '../src/testing/splats/compare.ts';

const DEGREES: readonly ShDegree[] = [0, 1, 2, 3];
const ARRAYS = ['means', 'quaternions', 'logScales', 'opacityLogits', 'sh'] as const;

function expectSameBits(actual: SplatCloud, expected: SplatCloud): void {
  for (const name of ARRAYS) expect(sameBytes(actual[name], expected[name]), name).toBe(true);
  expect([actual.count, actual.degree]).toEqual([expected.count, expected.degree]);
}

describe('formats that keep every bit', () => {
  test.each(DEGREES.flatMap((degree) => ['ply', '4d'].map((format) => [format, degree] as const)))(
    '%s, degree %i',
    async (format, degree) => {
      const cloud = syntheticCloud({ count: 5000, degree, seed: 10 + degree });
      cloud.means.set([-0, 1e-45, 3.4e38]); // a negative zero, a subnormal number, a very large one
      expectSameBits(await readSplats(await writeSplats(cloud, { format })), cloud);
    },
  );

  test('PLY keeps comments and the antialiased flag, with normals or without', async () => {
    const cloud = {
      ...syntheticCloud({ count: 3, degree: 1, seed: 1 }),
      metadata: { antialiased: true, comments: ['made by hand', 'über'] },
    };
    const withNormals = await writeSplats(cloud, { format: 'ply' });
    const without = await writeSplats(cloud, { format: 'ply', normals: 'none' });
    expect(withNormals.length - without.length).toBe(3 * 12 + 3 * 'property float nx\n'.length);
    for (const bytes of [withNormals, without]) {
      const read = await readSplats(bytes);
      expectSameBits(read, cloud);
      expect(read.metadata).toEqual({ format: 'ply', antialiased: true, comments: ['made by hand', 'über'] });
    }
  });

  test('an empty cloud', async () => {
    for (const format of ['ply', 'spz', '4d'])
      expect((await readSplats(await writeSplats(syntheticCloud({ count: 0, seed: 1 }), { format }))).count).toBe(0);
  });
});

describe('formats that round: the error is at most half a step', () => {
  const SH_STEPS = { first: 8 / 128, rest: 16 / 128 };

  test.each(DEGREES)('spz, degree %i', async (degree) => {
    const cloud = syntheticCloud({ count: 4000, degree, seed: 20 + degree });
    const read = await readSplats(await writeSplats(cloud, { format: 'spz' }));
    // 24 bits with 12 behind the point; float32 adds its own rounding, of numbers below 4.
    expect(largestDifference(read.means, cloud.means)).toBeLessThanOrEqual(2 ** -13 + 2 ** -22);
    expect(largestDifference(read.logScales, cloud.logScales)).toBeLessThanOrEqual(1 / 32 + 2 ** -21);
    expect(largestDifference(opacities(read), opacities(cloud))).toBeLessThanOrEqual(0.5 / 255 + 1e-7);
    expect(largestDifference(coefficients(read, 0, 1), coefficients(cloud, 0, 1))).toBeLessThanOrEqual(0.5 / 255 / 0.15 + 1e-6);
    // Three components to half of sqrt(1/2)/511; the largest one, at least 1/2, follows from the unit length.
    const step = Math.SQRT1_2 / 511;
    expect(largestTurn(read, cloud)).toBeLessThanOrEqual(2 * Math.sqrt(3) * (step / 2) * 1.05);
    // Rounded twice: to 1/128, then to the middle of a bucket.
    if (degree >= 1)
      expect(largestDifference(coefficients(read, 1, 4), coefficients(cloud, 1, 4))).toBeLessThanOrEqual(
        SH_STEPS.first / 2 + 0.5 / 128 + 1e-7,
      );
    if (degree >= 2)
      expect(largestDifference(coefficients(read, 4, (degree + 1) ** 2), coefficients(cloud, 4, (degree + 1) ** 2))).toBeLessThanOrEqual(
        SH_STEPS.rest / 2 + 0.5 / 128 + 1e-7,
      );
  });

  test('spz: more bits of the harmonics are kept when asked', async () => {
    const cloud = syntheticCloud({ count: 1000, degree: 3, seed: 5 });
    const read = await readSplats(await writeSplats(cloud, { format: 'spz', shBits: { first: 8, rest: 8 } }));
    expect(largestDifference(coefficients(read, 1, 16), coefficients(cloud, 1, 16))).toBeLessThanOrEqual(0.5 / 128 + 1e-7);
  });

  test('spz: a large scene takes bits from behind the point', async () => {
    const cloud = syntheticCloud({ count: 1000, degree: 0, seed: 6, extent: 50_000 });
    const read = await readSplats(await writeSplats(cloud, { format: 'spz' }));
    // 2^23 / 50,000 leaves 7 bits.
    expect(largestDifference(read.means, cloud.means)).toBeLessThanOrEqual(2 ** -8 + 2 ** -8);
    expect(largestDifference(read.means, cloud.means)).toBeGreaterThan(2 ** -13);
    await expect(writeSplats(cloud, { format: 'spz', fractionalBits: 12 })).rejects.toThrow(
      /a coordinate is too large for SPZ: means\[\d+\]\[\d\]=.* with fractionalBits=12/,
    );
  });

  test('spz: what was rounded once is not rounded again', async () => {
    const once = await readSplats(
      await writeSplats({ ...syntheticCloud({ count: 2000, degree: 3, seed: 7 }), metadata: { antialiased: true } }, { format: 'spz' }),
    );
    const twice = await readSplats(await writeSplats(once, { format: 'spz' }));
    expect(twice.metadata).toEqual({ format: 'spz', antialiased: true });
    for (const name of ['means', 'logScales', 'opacityLogits', 'sh'] as const) expect(sameBytes(twice[name], once[name]), name).toBe(true);
    // Where two components are all but equal, the other one may be left out the second time.
    expect(largestTurn(twice, once)).toBeLessThanOrEqual(Math.SQRT1_2 / 511);
  });

  test('.splat: colours, opacities and rotations in bytes, sorted by importance', async () => {
    const cloud = syntheticCloud({ count: 5000, degree: 2, seed: 8 });
    const read = await readSplats(await writeSplats(cloud, { format: 'splat' }));
    const importance = (c: SplatCloud, n: number): number =>
      opacities(c)[n]! * Math.exp(c.logScales.subarray(3 * n, 3 * n + 3).reduce((a, b) => a + b));
    const keys = opacities(cloud).map(
      (opacity, n) => opacity * Math.exp(cloud.logScales.subarray(3 * n, 3 * n + 3).reduce((a, b) => a + b)),
    );
    const order = [...keys.keys()].sort((a, b) => keys[b]! - keys[a]!);
    const sorted = reordered(cloud, order);
    expect(importance(cloud, order[0]!)).toBeGreaterThan(importance(cloud, order[1]!));
    expect(sameBytes(read.means, sorted.means)).toBe(true);
    // exp and log in float32: 2^-24 relative, of logarithms below 8.
    expect(largestDifference(read.logScales, sorted.logScales)).toBeLessThanOrEqual(2 ** -20);
    expect(largestDifference(opacities(read), opacities(sorted))).toBeLessThanOrEqual(0.5 / 255 + 1e-7);
    expect(largestDifference(coefficients(read, 0, 1), coefficients(sorted, 0, 1))).toBeLessThanOrEqual(0.5 / 255 / SH_C0 + 1e-6);
    // 128 + 128 q: half a step of 1/128, a whole one where 256 has no byte; normalising moves it a little more.
    expect(largestTurn(read, sorted)).toBeLessThanOrEqual(1.5 / 128);
    expect(read.degree).toBe(0);
  });
});

describe('files written by hand', () => {
  const close = (array: ArrayLike<number>, values: readonly number[]): void =>
    expect(largestDifference(array, values)).toBeLessThanOrEqual(2e-7 * Math.max(1, ...values.map(Math.abs)));

  test('.splat, a record', async () => {
    const record = [
      0,
      0,
      0x80,
      0x3f,
      0,
      0,
      0,
      0xc0,
      0,
      0,
      0x40,
      0x40, // 1, -2, 3
      0,
      0,
      0,
      0x3f,
      0,
      0,
      0x80,
      0x3f,
      0,
      0,
      0,
      0, // 1/2, 1, 0
      255,
      0,
      51,
      64, // red 1, green 0, blue 1/5, opacity 64/255
      255,
      128,
      64,
      0, // (127, 0, -64, -128) / 128
    ];
    const cloud = await readSplats(Uint8Array.from(record));
    expect([...cloud.means]).toEqual([1, -2, 3]);
    close(cloud.logScales, [-Math.LN2, 0, -126 * Math.LN2]); // a flat Gaussian has the smallest normal scale
    close(cloud.sh, [0.5 / SH_C0, -0.5 / SH_C0, -0.3 / SH_C0]);
    close(cloud.opacityLogits, [Math.log(64 / 191)]);
    close(cloud.quaternions, [127 / 128, 0, -0.5, -1]);
  });

  /** Two Gaussians of degree 1, column by column. */
  const columns = [
    [0x00, 0x10, 0x00, 0x00, 0xe0, 0xff, 0x00, 0x08, 0x00], // 4096, -8192, 2048: right 1, up -2, back 1/2
    [0xff, 0xff, 0x7f, 0x00, 0x00, 0x80, 0x00, 0x00, 0x00], // the largest and the smallest coordinate, 0
    [128, 0], // opacities
    [255, 0, 128],
    [0, 0, 0], // colours
    [160, 0, 255],
    [160, 160, 160], // scales: e^0, e^-10, e^5.9375
    [0x00, 0x00, 0x00, 0xc0], // w is the largest, the others are 0
    [0xff, 0x03, 0xf0, 0x1f], // x is the largest; y +511, z 0, w -511 would be longer than 1: see below
    [192, 128, 128, 64, 128, 128, 192, 0, 255],
    [128, 128, 128, 128, 128, 128, 128, 128, 128],
  ];
  const header = (version: number): number[] => [0x4e, 0x47, 0x53, 0x50, version, 0, 0, 0, 2, 0, 0, 0, 1, 12, 1, 0];

  test('SPZ, plain version 3', async () => {
    const cloud = await readSplats(Uint8Array.from([...header(3), ...columns.flat()]));
    expect(cloud.metadata).toEqual({ format: 'spz', antialiased: true });
    // Down and forward are what up and back are not.
    expect([...cloud.means]).toEqual([1, 2, -0.5, (2 ** 23 - 1) / 4096, 2048, 0]);
    close(cloud.opacityLogits, [Math.log(128 / 127), Math.log(0.25 / 254.75)]);
    close(cloud.logScales, [0, -10, 5.9375, 0, 0, 0]);
    close(cloud.sh.subarray(0, 3), [0.5 / 0.15, -0.5 / 0.15, (128 / 255 - 0.5) / 0.15]);
    // Coefficients of y, z, x: those of y and z change sign.
    close(cloud.sh.subarray(3, 12), [-0.5, 0, 0, 0.5, 0, 0, 0.5, -1, 127 / 128]);
    close(cloud.quaternions.subarray(0, 4), [1, 0, 0, 0]);
    // 0x1ff003ff: index 0; y = 0 0111111111 -> 511 units, z = 0 0000000000, w = 1 111111111 -> -511 units. Together the unit length, so x
    // is 0.
    close(cloud.quaternions.subarray(4, 8), [-Math.SQRT1_2, 0, -Math.SQRT1_2, 0]);
  });

  test('PLY, by names in another order, with CRLF', async () => {
    const names = [
      'opacity',
      'rot_3',
      'rot_2',
      'rot_1',
      'rot_0',
      'z',
      'y',
      'x',
      'f_dc_2',
      'f_dc_1',
      'f_dc_0',
      'scale_2',
      'scale_1',
      'scale_0',
      ...[8, 7, 6, 5, 4, 3, 2, 1, 0].map((i) => `f_rest_${i}`),
    ];
    const head = [
      'ply',
      'format ascii 1.0',
      'comment any',
      'obj_info any',
      'element vertex 1',
      ...names.map((name) => `property float32 ${name}`),
      'end_header',
      '',
    ].join('\r\n');
    const values = [0.5, 4, 3, 2, 1, 30, 20, 10, 0.3, 0.2, 0.1, -3, -2, -1, 8, 7, 6, 5, 4, 3, 2, 1, 0];
    const cloud = await readSplats(new TextEncoder().encode(`${head}${values.join('\t')}`));
    expect([...cloud.means]).toEqual([10, 20, 30]);
    expect([...cloud.quaternions]).toEqual([1, 2, 3, 4]);
    expect([...cloud.logScales]).toEqual([-1, -2, -3]);
    // f_rest is channel-major: red of the three coefficients, then green, then blue.
    close(cloud.sh, [0.1, 0.2, 0.3, 0, 3, 6, 1, 4, 7, 2, 5, 8]);
  });
});

/** Colour of a Gaussian seen along a direction, from the polynomials of the real spherical harmonics up to degree 3. */
function colorAlong(cloud: SplatCloud, n: number, [x, y, z]: readonly [number, number, number]): number[] {
  const basis = [
    SH_C0,
    -0.4886025119029199 * y,
    0.4886025119029199 * z,
    -0.4886025119029199 * x,
    1.0925484305920792 * x * y,
    -1.0925484305920792 * y * z,
    0.31539156525252005 * (2 * z * z - x * x - y * y),
    -1.0925484305920792 * x * z,
    0.5462742152960396 * (x * x - y * y),
    -0.5900435899266435 * y * (3 * x * x - y * y),
    2.890611442640554 * x * y * z,
    -0.4570457994644658 * y * (4 * z * z - x * x - y * y),
    0.3731763325901154 * z * (2 * z * z - 3 * x * x - 3 * y * y),
    -0.4570457994644658 * x * (4 * z * z - x * x - y * y),
    1.445305721320277 * z * (x * x - y * y),
    -0.5900435899266435 * x * (x * x - 3 * y * y),
  ];
  return [0, 1, 2].map((channel) =>
    basis
      .slice(0, (cloud.degree + 1) ** 2)
      .reduce((sum, value, k) => sum + value * cloud.sh[(n * (cloud.degree + 1) ** 2 + k) * 3 + channel]!, 0),
  );
}

/** Covariance of a Gaussian: R diag(s^2) R^T. */
function covariance(cloud: SplatCloud, n: number): number[] {
  const [w = 0, x = 0, y = 0, z = 0] = rotations(cloud).subarray(4 * n, 4 * n + 4);
  const r = [
    1 - 2 * (y * y + z * z),
    2 * (x * y - w * z),
    2 * (x * z + w * y),
    2 * (x * y + w * z),
    1 - 2 * (x * x + z * z),
    2 * (y * z - w * x),
    2 * (x * z - w * y),
    2 * (y * z + w * x),
    1 - 2 * (x * x + y * y),
  ];
  const s = cloud.logScales.subarray(3 * n, 3 * n + 3).map((log) => Math.exp(2 * log));
  return Array.from({ length: 9 }, (_, i) =>
    [0, 1, 2].reduce((sum, k) => sum + r[3 * Math.floor(i / 3) + k]! * s[k]! * r[3 * (i % 3) + k]!, 0),
  );
}

describe('axes', () => {
  const all = [1, -1].flatMap((x) => [1, -1].flatMap((y) => [1, -1].map((z) => [x, y, z] as [1 | -1, 1 | -1, 1 | -1])));

  test.each(all)('signs %i %i %i: the flipped cloud looks from the flipped direction as the cloud did', (...signs) => {
    const cloud = syntheticCloud({ count: 20, degree: 3, seed: 30 });
    const flipped = flipAxes(cloud, signs);
    for (let n = 0; n < cloud.count; n++) {
      const direction = [...cloud.means.subarray(3 * n, 3 * n + 3)].map((v, _, d) => v / Math.hypot(...d)) as [number, number, number];
      const turned = direction.map((v, i) => v * signs[i]!) as [number, number, number];
      expect(largestDifference(colorAlong(flipped, n, turned), colorAlong(cloud, n, direction))).toBeLessThanOrEqual(1e-12);
      const expected = covariance(cloud, n).map((v, i) => v * signs[Math.floor(i / 3)]! * signs[i % 3]!);
      expect(largestDifference(covariance(flipped, n), expected)).toBeLessThanOrEqual(1e-12);
    }
    expectSameBits(flipAxes(flipped, signs), cloud);
  });

  test('SPZ stores up and back: the file of a flipped cloud, read, is the flipped cloud', async () => {
    const cloud = syntheticCloud({ count: 100, degree: 3, seed: 31 });
    const one = await readSplats(await writeSplats(flipAxes(cloud, DOWN_FORWARD_TO_UP_BACK), { format: 'spz' }));
    const other = flipAxes(await readSplats(await writeSplats(cloud, { format: 'spz' })), DOWN_FORWARD_TO_UP_BACK);
    for (const name of ARRAYS) {
      // Zeros may differ in sign; buckets of harmonics are not symmetric about 0, so that one step may lie between.
      const tolerance = name === 'sh' ? 16 / 128 : 0;
      expect(name === 'quaternions' ? largestTurn(one, other) : largestDifference(one[name], other[name]), name).toBeLessThanOrEqual(
        tolerance,
      );
    }
  });
});

describe('the 4D container', () => {
  const asset = {
    cloud: { ...syntheticCloud({ count: 50, degree: 2, seed: 40 }), metadata: { antialiased: true, comments: ['a walk'] } },
    times: { start: -1, end: 3, loop: 'mirror', frames: [-1, 0, 0.5, 3] },
    deformation: {
      kind: 'hexplane',
      config: { resolution: [8, 8, 8, 5], features: 16, heads: { means: true } },
      tensors: {
        'planes.xt': { dtype: 'float32', shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) },
        mask: { dtype: 'uint8', shape: [2], data: Uint8Array.of(0, 1) },
      },
    },
  } as const;

  test('keeps everything', async () => {
    const read = await readSplats4d(encodeSplats4d(asset));
    expectSameBits(read.cloud, asset.cloud);
    expect(read.cloud.metadata).toEqual({ format: '4d', antialiased: true, comments: ['a walk'] });
    expect(read.times).toEqual(asset.times);
    expect(read.deformation).toEqual(asset.deformation);
  });

  test('is a cloud for those who want no motion', async () => {
    expectSameBits(await readSplats(encodeSplats4d(asset)), asset.cloud);
  });

  test('refuses what it could not give back', () => {
    const broken =
      (change: object): (() => unknown) =>
      () =>
        encodeSplats4d({ ...asset, ...change });
    expect(broken({ times: { start: 1, end: 1, loop: 'none' } })).toThrow(/impossible times: start=1, end=1/);
    expect(broken({ times: { start: 0, end: 1, loop: 'none', frames: [0, 0] } })).toThrow(/impossible times/);
    expect(broken({ deformation: { ...asset.deformation, kind: 'Hex Plane' } })).toThrow(/kind="Hex Plane". Name it in kebab-case/);
    expect(
      broken({ deformation: { ...asset.deformation, tensors: { a: { dtype: 'float32', shape: [3], data: new Float32Array(2) } } } }),
    ).toThrow(/deformation tensor "a"/);
  });
});

describe('a scene of several assets in the 4D container', () => {
  const weights = { dtype: 'float32', shape: [2], data: Float32Array.of(1, 2) } as const;
  const walk = {
    cloud: { ...syntheticCloud({ count: 20, degree: 1, seed: 41 }), metadata: { antialiased: true, comments: ['a walk'] } },
    times: { start: 1, end: 3, loop: 'repeat' },
    deformation: { kind: 'mlp', config: { width: 2 }, tensors: { 'net.deformation.x': weights } },
  } as const;
  const room = {
    cloud: syntheticCloud({ count: 30, degree: 3, seed: 42 }),
    times: { start: 0, end: 1, loop: 'none' },
    deformation: null,
  } as const;
  const placement = {
    translation: [0.1, -2, 3],
    rotation: [0.5, 0.5, -0.5, 0.5],
    scale: 0.25,
    offset: -1,
    duration: 4,
    beyond: 'mirror',
  } as const;
  const scene = {
    assets: [
      { ...room, placement: {} },
      { ...walk, placement },
      { ...walk, placement: { offset: 2 } },
    ],
  } as const;

  test('keeps every bit, and where and when each asset is', async () => {
    const { assets } = await readSplatScene4d(encodeSplatScene4d(scene));
    expect(assets.map((asset) => asset.placement)).toEqual([{}, placement, { offset: 2 }]);
    for (const [i, asset] of assets.entries()) {
      expectSameBits(asset.cloud, scene.assets[i]!.cloud);
      expect([asset.times, asset.deformation]).toEqual([scene.assets[i]!.times, scene.assets[i]!.deformation]);
    }
    expect(assets[1]!.cloud.metadata).toEqual({ format: '4d', antialiased: true, comments: ['a walk'] });
  });

  test('is no single asset, and says so; an asset is a scene of its own', async () => {
    const bytes = encodeSplatScene4d(scene);
    expect((await detectSplatFormat(bytes)).name).toBe('4d');
    for (const read of [readSplats, readSplats4d])
      await expect(read(bytes)).rejects.toThrow(
        /is a scene of several assets, each in its place, and no single one: version=2 of the 4D container. Read it with readSplatScene4d/,
      );
    const { assets } = await readSplatScene4d(encodeSplats4d(walk));
    expect([assets.length, assets[0]?.placement, assets[0]?.deformation]).toEqual([1, {}, walk.deformation]);
  });

  test('refuses what it could not give back', () => {
    expect(() => encodeSplatScene4d({ assets: [] })).toThrow('[io/splats] a scene has 1 to 1000 assets: assets=0.');
    const placed =
      (change: object): (() => unknown) =>
      () =>
        encodeSplatScene4d({ assets: [{ ...room, placement: change }] });
    expect(placed({ scale: -1 })).toThrow(/asset 0 has a place that cannot be stored: scale/);
    expect(placed({ translation: [0, NaN, 0] })).toThrow(/translation/);
    expect(placed({ rotation: [0, 0, 0, 0] })).toThrow('asset 0 stands in a rotation that is none');
    expect(placed({ speed: 2 })).toThrow(/A placement has translation, rotation, scale, offset, duration, beyond/);
  });

  test('on disk', async () => {
    const path = join(await mkdtemp(join(tmpdir(), 'splat-scene-')), 'scene.splats4d');
    await writeSplatScene4dFile(path, scene);
    expect(await splatFormatOfFile(path)).toBe('4d');
    expect((await readSplatScene4dFile(path)).assets.map(({ cloud }) => cloud.count)).toEqual([30, 20, 20]);
  });
});

describe('choosing a format', () => {
  test('by content', async () => {
    const cloud = syntheticCloud({ count: 9, degree: 1, seed: 50 });
    for (const { name, encode } of splatFormats)
      if (encode !== undefined) expect((await detectSplatFormat(await writeSplats(cloud, { format: name }))).name).toBe(name);
    await expect(detectSplatFormat(new Uint8Array(33))).rejects.toThrow(/is of no known format: size=33 bytes, first=00 00/);
    await expect(detectSplatFormat(new Uint8Array(0))).rejects.toThrow(/is of no known format: size=0/);
  });

  test('by name', () => {
    const names = ['a.ply', 'a.compressed.ply', 'A.SPLAT', 'b.spz', 'c.splats4d', 'c.splats4d.safetensors'];
    expect(names.map((name) => splatFormatForName(name).name)).toEqual(['ply', 'compressed-ply', 'splat', 'spz', '4d', '4d']);
    expect(() => splatFormatForName('a.obj')).toThrow(/"a.obj" has the end of no known format. Use one of: .*\.ply/);
    // Who is to write is offered what can be written.
    const written = 'Use one of: .splats4d, .splats4d.safetensors, .spz, .ply, .splat.';
    expect(() => splatFormatForName('a.obj', { use: 'write' })).toThrow(`"a.obj" has the end of no known format. ${written}`);
    expect(() => splatFormatForName('a.compressed.ply', { use: 'write' })).toThrow(
      `[io/splats] format is only read: name="a.compressed.ply", format=compressed-ply. ${written}`,
    );
  });

  test('by option', async () => {
    await expect(readSplats(new Uint8Array(32), { format: 'ksplat' })).rejects.toThrow(
      /unknown format="ksplat". Known: compressed-ply, 4d, spz, ply, splat/,
    );
    await expect(writeSplats(syntheticCloud({ count: 1, seed: 1 }), { format: 'compressed-ply' })).rejects.toThrow(UnsupportedError);
  });

  test('a Blob and a source are read as bytes are', async () => {
    const cloud = syntheticCloud({ count: 20_000, degree: 0, seed: 51 }); // more than one window
    for (const format of ['ply', 'spz', '4d']) {
      const bytes = await writeSplats(cloud, { format });
      const expected = await readSplats(bytes);
      expectSameBits(await readSplats(new Blob([bytes])), expected);
      expectSameBits(await readSplats(bytesSource(bytes)), expected);
      // A view that begins at an odd place.
      const shifted = new Uint8Array(bytes.length + 1);
      shifted.set(bytes, 1);
      expectSameBits(await readSplats(shifted.subarray(1)), expected);
    }
  });
});

test('the bytes of a file are not changed by reading it', async () => {
  const cloud = syntheticCloud({ count: 2, degree: 0, seed: 52 });
  for (const format of ['ply', '4d']) {
    const bytes = await writeSplats(cloud, { format });
    const copy = bytes.slice();
    const read = await readSplats(bytes);
    for (const name of ARRAYS) read[name].fill(7);
    expect(sameBytes(bytes, copy)).toBe(true);
  }
});

describe('clouds that no file should hold are refused when written', () => {
  const good = syntheticCloud({ count: 4, degree: 1, seed: 60 });
  const changed = (name: (typeof ARRAYS)[number], at: number, value: number): SplatCloud => {
    const array = good[name].slice();
    array[at] = value;
    return { ...good, [name]: array };
  };
  test.each([
    ['a NaN', changed('sh', 13, Number.NaN), /Gaussian row=1 cannot be stored: sh\[1\]\[1\]=NaN is not finite/],
    ['an infinity', changed('means', 11, Infinity), /row=3 cannot be stored: means\[3\]\[2\]=Infinity is not finite/],
    [
      'a quaternion of zeros',
      { ...good, quaternions: new Float32Array(16) },
      /row=0 cannot be stored: quaternions\[0\]=\(0, 0, 0, 0\) is not a rotation/,
    ],
    ['a short array', { ...good, means: new Float32Array(11) }, /means.length=11, expected 12/],
    ['a count', { ...good, count: -1 }, /count=-1/],
    ['a degree', { ...good, degree: 4 as ShDegree }, /degree=4/],
    ['a comment of two lines', { ...good, metadata: { comments: ['a\nelement face 1'] } }, /is not one line of text/],
  ])('%s', async (_, cloud, message) => {
    await expect(writeSplats(cloud, { format: 'ply' })).rejects.toThrow(UserError);
    await expect(writeSplats(cloud, { format: 'ply' })).rejects.toThrow(message);
  });
});

describe('files by path', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'langevin-splats-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  test('are written by the end of their name and read by their content', async () => {
    const cloud = syntheticCloud({ count: 100, degree: 1, seed: 70 });
    await writeSplatFile(join(folder, 'a.ply'), cloud);
    await writeSplatFile(join(folder, 'b.bin'), cloud, { format: 'spz' });
    expectSameBits(await readSplatFile(join(folder, 'a.ply')), cloud);
    expect((await readSplatFile(join(folder, 'b.bin'))).metadata).toEqual({ format: 'spz' });
    await writeSplats4dFile(join(folder, 'c.splats4d'), { cloud, times: { start: 0, end: 1, loop: 'none' }, deformation: null });
    expectSameBits((await readSplats4dFile(join(folder, 'c.splats4d'))).cloud, cloud);
  });

  test('a cloud that cannot be written leaves the old file', async () => {
    const path = join(folder, 'old.ply');
    await writeFile(path, 'old');
    await expect(writeSplatFile(path, { ...syntheticCloud({ count: 1, seed: 1 }), count: 2 })).rejects.toThrow(UserError);
    expect(await readFile(path, 'utf8')).toBe('old');
  });
});
