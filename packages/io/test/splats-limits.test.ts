// What is written can be read again: as what it was written as, with the errors that the format's page promises, or it is refused.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSplatFile } from '@langevin/io/node';
import { detectSplatFormat, readSplats, splatFormats, writeSplats, type SplatCloud } from '@langevin/io/splats';
import { syntheticCloud } from '@langevin/io/testing';
import { UserError } from '@langevin/tensor';
import { describe, expect, onTestFinished, test } from 'vitest';

const good = syntheticCloud({ count: 40, degree: 1, seed: 91 });
const moved = (edit: (means: Float32Array) => void): SplatCloud => {
  const means = good.means.slice();
  edit(means);
  return { ...good, means };
};
const writable = splatFormats.filter(({ encode }) => encode !== undefined).map(({ name }) => name);
const none = { ...syntheticCloud({ count: 0, degree: 1, seed: 1 }) };

/** Clouds that are sound and strange. */
const CLOUDS: readonly (readonly [string, SplatCloud])[] = [
  ['ordinary', good],
  ['empty', none],
  ['of one', syntheticCloud({ count: 1, degree: 1, seed: 92 })],
  ['far from the origin', moved((means) => means.forEach((value, i) => (means[i] = value + 5e6)))],
  ['with one that lies far away', moved((means) => (means[6] = 1e6))],
  ['with one that lies beyond the stars', moved((means) => (means[6] = 1e20))],
  // The bytes 1f 8b with which gzip begins.
  [
    'whose first number begins as gzip does',
    moved((means) => (means[0] = new Float32Array(Uint8Array.of(0x1f, 0x8b, 0x10, 0x41).buffer)[0]!)),
  ],
  ['of huge Gaussians', { ...good, logScales: good.logScales.map(() => 80) }],
  ['of tiny Gaussians', { ...good, logScales: good.logScales.map(() => -80) }],
  ['with an up and an origin', { ...good, metadata: { up: [0, 0, 1], origin: [500_000, 5_000_000, 0] } }],
];

describe.each(writable)('%s', (format) => {
  test.each(CLOUDS)('a cloud %s', async (_, cloud) => {
    const written = await writeSplats(cloud, { format }).catch((error: unknown) => error as Error);
    if (written instanceof Error) {
      expect(written).toBeInstanceOf(UserError);
      expect(written.message).toMatch(/^\[io\/splats\] .*\. (Write|Remove|Use|or) ?/);
      return;
    }
    expect((await detectSplatFormat(written)).name).toBe(format);
    const read = await readSplats(written);
    expect(read.count).toBe(cloud.count);
    // .splat sorts by importance, so places are compared in order of their numbers.
    const places = ({ means }: SplatCloud): readonly number[] => [...means].sort((a, b) => a - b);
    const size = cloud.count === 0 ? 1 : Math.exp([...cloud.logScales].sort((a, b) => a - b)[cloud.logScales.length >> 1]!);
    // A thirteenth bit behind the point as ever, or a quarter of the size that half of the Gaussians have.
    const most = format === 'spz' ? Math.max(2 ** -13, size / 4) * 1.001 : 0;
    places(read).forEach((value, i) => expect(Math.abs(value - places(cloud)[i]!)).toBeLessThanOrEqual(most));
    if (format === 'ply' || format === '4d') {
      const { up, origin } = cloud.metadata ?? {};
      expect([read.metadata?.up, read.metadata?.origin]).toEqual([up, origin]);
    }
  });
});

test.each([
  ['splat', none, 'a .splat of no Gaussians is an empty file, which nobody can tell from another one: count=0. Write PLY.'],
  ['splat', CLOUDS[5]![1], 'a number is too large for .splat, which is known by its small ones: means[2][0]=100000002004087730000'],
  ['splat', CLOUDS[9]![1], 'splat holds no coordinates so far from 0: metadata.origin=(500000, 5000000, 0). Write 4d or ply;'],
  ['spz', CLOUDS[3]![1], 'SPZ would move all centres by up to 0.5, where half of the Gaussians are smaller than'],
  ['spz', CLOUDS[4]![1], 'SPZ would move all centres by up to 0.0625, where half of the Gaussians are smaller than'],
  [
    'spz',
    CLOUDS[4]![1],
    'since one lies far away: means[2][0]=1000000. Remove what lies that far, write PLY, or accept it with fractionalBits: 3.',
  ],
  ['spz', CLOUDS[9]![1], 'spz holds no coordinates so far from 0'],
] as const)('%s refuses what it would spoil', async (format, cloud, message) => {
  await expect(writeSplats(cloud, { format })).rejects.toThrow(message);
});

test('a loss in SPZ that is asked for is taken', async () => {
  const read = await readSplats(await writeSplats(CLOUDS[4]![1], { format: 'spz', fractionalBits: 3 }));
  expect(Math.abs(read.means[0]! - good.means[0]!)).toBeLessThanOrEqual(2 ** -4);
});

describe('places on a map', () => {
  const origin = [500_123, 5_000_456, 78] as const;
  const cloud = { ...good, metadata: { origin } };
  const text = (bytes: Uint8Array): string => new TextDecoder('latin1').decode(bytes.subarray(0, 2000));

  test('are doubles in PLY, in the coordinates of the map, for every program that reads them', async () => {
    const bytes = await writeSplats(cloud, { format: 'ply', normals: 'none' });
    expect(text(bytes)).toContain('property double x\nproperty double y\nproperty double z\nproperty float f_dc_0\n');
    const start = text(bytes).indexOf('end_header\n') + 'end_header\n'.length;
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    for (let axis = 0; axis < 3; axis++) expect(view.getFloat64(start + 8 * axis, true)).toBe(good.means[axis]! + origin[axis]!);
  });

  test('of other programs, without a comment, are read around an origin of their own', async () => {
    const bytes = await writeSplats(cloud, { format: 'ply' });
    const end = text(bytes).indexOf('comment Origin:');
    const line = text(bytes).slice(end).indexOf('\n') + 1;
    const without = Uint8Array.from([...bytes.subarray(0, end), ...bytes.subarray(end + line)]);
    const read = await readSplats(without);
    const found = read.metadata!.origin!;
    expect(found.every((value, axis) => Math.abs(value - origin[axis]!) < 100)).toBe(true);
    // Digits that float32 would have lost: it has halves of a unit there.
    read.means.forEach((value, i) => expect(Math.abs(value + found[i % 3]! - (good.means[i]! + origin[i % 3]!))).toBeLessThan(1e-5));
  });

  test('doubles near 0 have no origin', async () => {
    const near = { ...good, metadata: { origin: [0, 0, 0] as const } };
    const bytes = await writeSplats(near, { format: 'ply' });
    const end = text(bytes).indexOf('comment Origin:');
    const line = text(bytes).slice(end).indexOf('\n') + 1;
    const read = await readSplats(Uint8Array.from([...bytes.subarray(0, end), ...bytes.subarray(end + line)]));
    expect(read.metadata?.origin).toBeUndefined();
    expect(read.means).toEqual(good.means);
  });

  test.each([[[1, 2]], [[1, 2, NaN]], ['up']])('an origin of %j is refused', async (given) => {
    await expect(writeSplats({ ...good, metadata: { origin: given as never } }, { format: 'ply' })).rejects.toThrow(
      'metadata.origin is not three numbers',
    );
  });
});

test.each([
  ['Vertical Axis: z', [0, 0, 1]],
  ['vertical axis: -Y', [0, -1, 0]],
  ['Vertical Axis: 0.6 0 0.8', [0.6, 0, 0.8]],
  ['Vertical Axis: 0 0 0', undefined],
  ['Vertical Axis: north', undefined],
])('which way is up is read of %j, as other programs write it', async (comment, up) => {
  const read = await readSplats(await writeSplats(good, { format: 'ply', comments: [comment] }));
  expect(read.metadata?.up).toEqual(up);
  expect(read.metadata?.comments).toEqual(up === undefined ? [comment] : []);
});

test('a .splat that is cut, or bad at its beginning, is known by its name, and what is wrong with it is said', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'langevin-splats-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const bytes = await writeSplats(good, { format: 'splat' });
  const path = join(folder, 'scene.splat');
  await writeFile(path, bytes.subarray(0, bytes.length - 5));
  await expect(readSplatFile(path)).rejects.toThrow(
    `is truncated or not a .splat file: size=${bytes.length - 5} bytes is no multiple of 32.`,
  );
  const bad = bytes.slice();
  new DataView(bad.buffer).setFloat32(4, NaN, true);
  await writeFile(path, bad);
  await expect(readSplatFile(path)).rejects.toThrow('has invalid Gaussians: 1 of 40, the first one: means[0][1]=NaN is not finite.');
  expect((await readSplatFile(path, { invalid: 'drop' })).metadata).toMatchObject({ dropped: 1 });
  // Without a name there is nothing to go by.
  await expect(readSplats(bad)).rejects.toThrow('is of no known format');
});
