import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeSafetensors } from '@langevin/io';
import type { SplatCloud } from '@langevin/io/splats';
import { readSplats, SH_C0, writeSplats } from '@langevin/io/splats';
import { describe, expect, test } from 'vitest';
import { coefficients, largestDifference, largestTurn, opacities, reordered, sameBytes } from '../src/testing/splats/compare.ts';

// Written by tooling/parity/splats_golden.py with gsplat's exporter, plyfile, and the library of the SPZ format.
const FOLDER = join(import.meta.dirname, 'golden/splats');
const { tensors } = decodeSafetensors(await readFile(join(FOLDER, 'splats.safetensors')));
const read = async (name: string): Promise<SplatCloud> => readSplats(await readFile(join(FOLDER, name)));
const ARRAYS = ['means', 'quaternions', 'logScales', 'opacityLogits', 'sh'] as const;

function golden(name: string, count: number, degree: 1 | 3): SplatCloud {
  const array = (part: string): Float32Array => tensors.get(`${name}.${part}`)!.data as Float32Array;
  return {
    count,
    degree,
    means: array('means'),
    quaternions: array('quaternions'),
    logScales: array('logScales'),
    opacityLogits: array('opacityLogits'),
    sh: array('sh'),
  };
}

const original = golden('original', 40, 3);
const packed = golden('packed', 300, 1);

describe('PLY', () => {
  test.each([
    ['plyfile-little.ply', original],
    ['plyfile-big.ply', original],
    ['plyfile-ascii.ply', original],
    ['gsplat.ply', packed],
  ])('%s, bit for bit', async (name, expected) => {
    const cloud = await read(name);
    for (const part of ARRAYS) expect(sameBytes(cloud[part], expected[part]), part).toBe(true);
    expect(cloud.metadata?.antialiased).toBe(name === 'plyfile-big.ply' ? true : undefined);
  });
});

test('gsplat.splat: gsplat cuts where we round, so a byte may be one step away', async () => {
  const cloud = await read('gsplat.splat');
  const expected = reordered(packed, tensors.get('gsplat.splat.order')!.data as Int32Array);
  expect(sameBytes(cloud.means, expected.means)).toBe(true);
  expect(largestDifference(cloud.logScales, expected.logScales)).toBeLessThanOrEqual(2e-6);
  expect(largestDifference(opacities(cloud), opacities(expected))).toBeLessThanOrEqual(1 / 255 + 1e-6);
  expect(largestDifference(cloud.sh, coefficients(expected, 0, 1))).toBeLessThanOrEqual(1 / 255 / SH_C0 + 1e-6);
  expect(largestTurn(cloud, expected)).toBeLessThanOrEqual(2.5 / 128);
});

test('gsplat.compressed.ply: half a step of the range that 256 Gaussians share', async () => {
  const cloud = await read('gsplat.compressed.ply');
  const expected = reordered(packed, tensors.get('gsplat.compressed.order')!.data as Int32Array);
  expect([cloud.count, cloud.degree, cloud.metadata?.format]).toEqual([expected.count, 1, 'compressed-ply']);
  for (let first = 0; first < cloud.count; first += 256) {
    const rows = Array.from({ length: Math.min(256, cloud.count - first) }, (_, i) => first + i);
    const [got, want] = [reordered(cloud, rows), reordered(expected, rows)];
    const spread = (values: Float32Array): number => Math.max(...values) - Math.min(...values);
    // Ten bits are the fewest; the ranges of the axes are no wider than the one of all three.
    expect(largestDifference(got.means, want.means)).toBeLessThanOrEqual(spread(want.means) / 1023 / 2 + 1e-5);
    expect(largestDifference(got.logScales, want.logScales)).toBeLessThanOrEqual(spread(want.logScales) / 1023 / 2 + 1e-5);
    expect(largestDifference(coefficients(got, 0, 1), coefficients(want, 0, 1))).toBeLessThanOrEqual(
      spread(coefficients(want, 0, 1)) / 255 / 2 + 1e-5,
    );
  }
  expect(largestDifference(opacities(cloud), opacities(expected))).toBeLessThanOrEqual(0.5 / 255 + 1e-6);
  expect(largestDifference(coefficients(cloud, 1, 4), coefficients(expected, 1, 4))).toBeLessThanOrEqual(4 / 256 + 1e-6);
  // Ten bits from -1/sqrt(2) to 1/sqrt(2), and the largest one from the unit length.
  expect(largestTurn(cloud, expected)).toBeLessThanOrEqual(2 * Math.sqrt(3) * (Math.SQRT2 / 1023 / 2) * 1.05);
});

describe('SPZ, as its own library reads it', () => {
  test.each([
    ['spz-v2.spz', 'spz-v2'],
    ['spz-v3.spz', 'spz-v3'],
    ['spz-v4.spz', 'spz-v3'],
  ])('%s', async (file, expected) => {
    const cloud = await read(file);
    const theirs = golden(expected, 40, 3);
    expect(cloud.metadata).toEqual({ format: 'spz', antialiased: true });
    expect(largestDifference(cloud.means, theirs.means)).toBe(0);
    expect(largestDifference(cloud.logScales, theirs.logScales)).toBe(0);
    // They compute in float32, we in float64 until the end.
    expect(largestDifference(cloud.opacityLogits, theirs.opacityLogits)).toBeLessThanOrEqual(2e-6);
    expect(largestDifference(cloud.sh, theirs.sh)).toBeLessThanOrEqual(1e-6);
    // The component that follows from the unit length is the root of a sum with a few float32 roundings.
    const smallest = Math.min(...Array.from({ length: 40 }, (_, n) => (file === 'spz-v2.spz' ? theirs.quaternions[4 * n]! : 0.5)));
    expect(largestDifference(cloud.quaternions, theirs.quaternions)).toBeLessThanOrEqual((6 * 2 ** -24) / (2 * smallest) + 2 ** -24);
  });

  test('and the originals are within the steps of version 3', async () => {
    const cloud = await read('spz-v3.spz');
    expect(largestDifference(cloud.means, original.means)).toBeLessThanOrEqual(2 ** -13 + 1e-6);
    expect(largestTurn(cloud, original)).toBeLessThanOrEqual(2 * Math.sqrt(3) * (Math.SQRT1_2 / 511 / 2) * 1.05);
  });

  test('our bytes are theirs, but for roundings in float32 that fall the other way', async () => {
    const ours = await readSplats(await writeSplats({ ...original, metadata: { antialiased: true } }, { format: 'spz' }));
    const theirs = await read('spz-v3.spz');
    for (const part of ['means', 'logScales', 'opacityLogits', 'sh'] as const) {
      const differing = ours[part].filter((value, i) => value !== theirs[part][i]).length;
      expect(differing / ours[part].length, part).toBeLessThanOrEqual(0.01);
    }
    expect(largestTurn(ours, theirs)).toBeLessThanOrEqual(Math.SQRT1_2 / 511);
  });
});
