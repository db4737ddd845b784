import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '@langevin/tensor';
import { describe, expect, test } from 'vitest';
import { seededRandom } from '../testing/splats/synthetic-cloud.ts';
import { decodeSafetensors } from '../safetensors/decode.ts';
import { inflateZstd } from './inflate.ts';

// Compressed by libzstd; tooling/parity/splats_golden.py says what is in them.
const FOLDER = join(import.meta.dirname, '../../test/golden/splats');
const { metadata } = decodeSafetensors(await readFile(join(FOLDER, 'splats.safetensors')));
const cases = (JSON.parse(metadata['golden']!) as { zstd: Record<string, { bytes: number; crc32: number }> }).zstd;
const load = async (name: string): Promise<Uint8Array> => new Uint8Array(await readFile(join(FOLDER, `zstd/${name}.zst`)));

/** CRC-32 as zip files have it. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

describe('what libzstd compressed comes out', () => {
  test('there is a file for each case', async () => {
    expect((await readdir(join(FOLDER, 'zstd'))).sort()).toEqual(
      Object.keys(cases)
        .map((name) => `${name}.zst`)
        .sort(),
    );
  });

  test.each(Object.entries(cases))('%s', async (name, { bytes, crc32: expected }) => {
    const out = new Uint8Array(bytes);
    inflateZstd(await load(name), out, 'x');
    expect(crc32(out)).toBe(expected);
  });

  test('frames one after another, and one that is to be skipped', async () => {
    const part = await load('few-symbols');
    const skipped = Uint8Array.of(0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3);
    const size = cases['few-symbols']!.bytes;
    const out = new Uint8Array(2 * size);
    inflateZstd(Uint8Array.from([...part, ...skipped, ...part]), out, 'x');
    expect(crc32(out.subarray(size))).toBe(cases['few-symbols']!.crc32);
    expect(crc32(out.subarray(0, size))).toBe(cases['few-symbols']!.crc32);
  });
});

test('the size must be the one that was asked for', async () => {
  for (const difference of [-1, 1])
    expect(() => inflateZstd(BYTES, new Uint8Array(cases['text']!.bytes + difference), 'x.spz')).toThrow(
      /^\[io\/splats\] x.spz is damaged: its ZSTD data holds/,
    );
});
const BYTES = await load('text');

test('every cut is noticed', async () => {
  const bytes = await load('few-symbols');
  for (let length = 0; length < bytes.length; length++)
    expect(() => inflateZstd(bytes.subarray(0, length), new Uint8Array(500), 'x'), String(length)).toThrow(UserError);
});

test('a few bytes that ask for endless copying are refused at once', () => {
  // One block: no literals, 98,047 sequences of one code each, without bits of their own: matches of at least 65,539 bytes.
  const sequences = [0x00, 255, 0xff, 0xff, 0x54, 35, 5, 52, 1];
  const block = 1 | (2 << 1) | (sequences.length << 3);
  const frame = Uint8Array.from([0x28, 0xb5, 0x2f, 0xfd, 0x20, 100, block & 255, block >> 8, 0, ...sequences]);
  expect(() => inflateZstd(frame, new Uint8Array(100), 'x')).toThrow(UserError);
});

test('3,000 damaged streams end in data of the asked size or in an error of ours', async () => {
  const random = seededRandom(3);
  const seen = { data: 0, refused: 0 };
  const inputs = await Promise.all(
    ['few-symbols', 'repeats', 'noise', 'zeros'].map(async (name) => ({ bytes: await load(name), size: cases[name]!.bytes })),
  );
  for (let round = 0; round < 3000; round++) {
    const { bytes, size } = inputs[round % inputs.length]!;
    const damaged = bytes.slice();
    for (let edit = 0; edit <= random() * 3; edit++) damaged[Math.floor(random() * damaged.length)] = Math.floor(random() * 256);
    try {
      inflateZstd(damaged, new Uint8Array(size), 'x');
      seen.data++;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      seen.refused++;
    }
  }
  expect(seen.data).toBeGreaterThan(100);
  expect(seen.refused).toBeGreaterThan(100);
});
