import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  blobSource,
  bytesSource,
  decodeSafetensors,
  encodeSafetensors,
  MAX_HEADER_BYTES,
  parseSafetensorsHeader,
  readSafetensorsSource,
} from '@langevin/io';
import { openSafetensors } from '@langevin/io/node';
import { errorKind, UnsupportedError, UserError } from '@langevin/tensor';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rawFile, seededRandom } from './malformed.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'langevin-io-'));
});
afterAll(() => rm(folder, { recursive: true }));

const f32 = (shape: unknown, begin: unknown, end: unknown, dtype = 'F32'): object => ({ dtype, shape, data_offsets: [begin, end] });

const good = encodeSafetensors({
  a: { dtype: 'float32', shape: [2, 3], data: new Float32Array(6).fill(1) },
  b: { dtype: 'uint8', shape: [3], data: new Uint8Array(3) },
});

describe('what the Python package reads is read', () => {
  test.each([
    ['no metadata', {}, {}],
    ['empty metadata', { __metadata__: {} }, {}],
    ['null for metadata', { __metadata__: null }, {}],
    ['metadata alone', { __metadata__: { crc: '12' } }, { crc: '12' }],
  ])('%s', (_, header, metadata) => {
    expect(decodeSafetensors(rawFile(header))).toEqual({ tensors: new Map(), metadata });
    const one = decodeSafetensors(rawFile({ ...header, a: f32([], 0, 4) }, { data: 4 }));
    expect([[...one.tensors.keys()], one.metadata]).toEqual([['a'], metadata]);
  });
});

describe('a malformed file is refused with a message that says what is wrong', () => {
  const cases: readonly (readonly [name: string, bytes: Uint8Array, message: RegExp])[] = [
    ['empty', new Uint8Array(0), /too short for safetensors: size=0 bytes/],
    ['seven bytes', new Uint8Array(7), /too short for safetensors: size=7 bytes/],
    [
      'header length 2^60',
      rawFile('{}', { declared: 2n ** 60n }),
      /header that is too large: headerLength=1152921504606846976 bytes, limit=100000000/,
    ],
    ['header length above the limit', rawFile('{}', { declared: BigInt(MAX_HEADER_BYTES) + 1n }), /too large: headerLength=100000001/],
    [
      'header longer than the file',
      rawFile('{}', { declared: 3n }),
      /truncated inside its header: headerLength=3 bytes, but only 2 follow/,
    ],
    ['data cut off', good.subarray(0, good.length - 1), /tensor "b" reaches past the end of the file/],
    ['data cut off after the header', good.subarray(0, good.length - 27), /tensor "a" reaches past the end of the file.*truncated/],
    ['extra bytes', rawFile({ a: f32([1], 0, 4) }, { data: 5 }), /bytes that belong to no tensor: dataEnd=\d+, fileSize=\d+/],
    ['not JSON', rawFile('{"a": '), /header is not valid JSON/],
    ['empty header', rawFile(''), /header is not valid JSON/],
    ['not UTF-8', withByte(rawFile('{"a":1}'), 10, 0xff), /header is not UTF-8/],
    ['an array', rawFile('[]'), /header is not a JSON object/],
    ['a number', rawFile('1'), /header is not a JSON object/],
    ['null', rawFile('null'), /header is not a JSON object/],
    [
      'a name twice',
      rawFile('{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}'),
      /names the key "a" twice/,
    ],
    [
      'a name twice, once escaped',
      rawFile('{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"\\u0061" :{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}'),
      /names the key "a" twice/,
    ],
    ['a field twice', rawFile('{"a":{"dtype":"U8","shape":[0],"shape":[1],"data_offsets":[0,0]}}'), /names the key "shape" twice/],
    ['an entry that is no object', rawFile({ a: 3 }), /tensor "a" is not described by an object/],
    ['no dtype', rawFile({ a: { shape: [], data_offsets: [0, 0] } }), /tensor "a" has an unknown dtype=undefined/],
    ['an invented dtype', rawFile({ a: f32([1], 0, 4, 'Q7') }, { data: 4 }), /tensor "a" has an unknown dtype="Q7"/],
    ['a dtype from the prototype', rawFile({ a: f32([1], 0, 4, 'constructor') }, { data: 4 }), /unknown dtype="constructor"/],
    ['no shape', rawFile({ a: { dtype: 'F32', data_offsets: [0, 0] } }), /tensor "a" has shape=undefined/],
    ['a negative dimension', rawFile({ a: f32([-1], 0, 4) }, { data: 4 }), /tensor "a" has shape=\[-1\]/],
    ['two negative dimensions', rawFile({ a: f32([-1, -1], 0, 4) }, { data: 4 }), /tensor "a" has shape=\[-1,-1\]/],
    ['a fractional dimension', rawFile({ a: f32([1.5], 0, 6) }, { data: 6 }), /tensor "a" has shape=\[1.5\]/],
    ['an unsafe dimension', rawFile({ a: f32([2 ** 53], 0, 4) }, { data: 4 }), /shape=\[9007199254740992\]/],
    ['a dimension of text', rawFile({ a: f32(['1'], 0, 4) }, { data: 4 }), /shape=\["1"\]/],
    // 2^32 * 2^32 * 4 bytes wraps to 0 in 64 bits.
    ['a product that overflows', rawFile({ a: f32([2 ** 32, 2 ** 32], 0, 0) }), /tensor "a" is impossibly large/],
    // 3 * 3002399751580331 = 2^53 + 1, which a double rounds to 2^53.
    ['a product that rounds', rawFile({ a: f32([3, 3002399751580331], 0, 2 ** 53 - 1, 'U8') }), /tensor "a" is impossibly large/],
    ['offsets missing', rawFile({ a: { dtype: 'F32', shape: [1] } }), /tensor "a" has data_offsets=undefined/],
    ['three offsets', rawFile({ a: { dtype: 'F32', shape: [1], data_offsets: [0, 4, 8] } }, { data: 4 }), /data_offsets=\[0,4,8\]/],
    ['negative offsets', rawFile({ a: f32([1], -4, 0) }, { data: 4 }), /data_offsets=\[-4,0\]/],
    ['offsets that run backwards', rawFile({ a: f32([1], 4, 0) }, { data: 4 }), /run backwards/],
    [
      'offsets of another size',
      rawFile({ a: f32([2], 0, 4) }, { data: 4 }),
      /wrong size: shape=\[2\] of F32 needs 8 bytes, data_offsets=\[0, 4\] hold 4/,
    ],
    ['a scalar without bytes', rawFile({ a: f32([], 0, 0) }), /wrong size: shape=\[\] of F32 needs 4/],
    ['offsets past the end', rawFile({ a: f32([2], 0, 8) }, { data: 4 }), /reaches past the end/],
    ['overlapping tensors', rawFile({ a: f32([2], 0, 8), b: f32([2], 4, 12) }, { data: 12 }), /tensor "b" overlaps tensor "a"/],
    ['the same bytes twice', rawFile({ a: f32([2], 0, 8), b: f32([2], 0, 8) }, { data: 8 }), /overlaps/],
    ['a gap', rawFile({ a: f32([1], 0, 4), b: f32([1], 8, 12) }, { data: 12 }), /tensor "b" leaves a gap after tensor "a"/],
    ['a gap at the start', rawFile({ a: f32([1], 4, 8) }, { data: 8 }), /tensor "a" leaves a gap after the header/],
    ['4-bit elements that are not whole bytes', rawFile({ a: f32([3], 0, 1, 'F4') }, { data: 1 }), /not a whole number of bytes/],
    ['metadata that is no object', rawFile({ __metadata__: 'x' }), /__metadata__ is not an object/],
    ['metadata that is not text', rawFile({ __metadata__: { a: 1 } }), /__metadata__\["a"\] is not text/],
    ['deep nesting', rawFile('['.repeat(100_000)), /not valid JSON/],
    ['a zipped pickle', zipStart(), /looks like a PyTorch pickle checkpoint.*does not read pickles/],
    ['an old pickle', pickleStart(), /looks like a PyTorch pickle checkpoint/],
    ['a web page', new TextEncoder().encode('<!DOCTYPE html><html>not found</html>'), /looks like a web page/],
    [
      'a Git LFS pointer',
      new TextEncoder().encode('version https://git-lfs.github.com/spec/v1\noid sha256:0\n'),
      /looks like a Git LFS pointer/,
    ],
  ];

  test.each(cases)('%s', async (name, bytes, message) => {
    expect(() => decodeSafetensors(bytes, 'x.safetensors')).toThrow(UserError);
    expect(() => decodeSafetensors(bytes, 'x.safetensors')).toThrow(message);
    expect(() => decodeSafetensors(bytes, 'x.safetensors')).toThrow(/^\[io\/safetensors\] x\.safetensors/);
    await expect(readSafetensorsSource(bytesSource(bytes))).rejects.toThrow(message);
    const path = join(folder, `${name.replaceAll(/\W+/g, '-')}.safetensors`);
    await writeFile(path, bytes);
    await expect(openSafetensors(path)).rejects.toThrow(message);
  });
});

describe('a dtype that the format has and Langevin has not', () => {
  test.each([
    ['F64', 8],
    ['I16', 2],
    ['U16', 2],
    ['U32', 4],
    ['U64', 8],
    ['I8', 1],
    ['F8_E4M3', 1],
    ['F8_E5M2', 1],
    ['C64', 8],
  ])('%s is unsupported, and only that tensor', async (dtype, size) => {
    const bytes = rawFile(
      { a: { dtype, shape: [2], data_offsets: [0, 2 * size] }, b: { dtype: 'U8', shape: [1], data_offsets: [2 * size, 2 * size + 1] } },
      { data: 2 * size + 1 },
    );
    expect(parseSafetensorsHeader(bytes, { fileBytes: bytes.length }).entries.get('a')).toMatchObject({ dtype: null, storedDType: dtype });
    expect(() => decodeSafetensors(bytes)).toThrow(UnsupportedError);
    const reader = await readSafetensorsSource(blobSource(new Blob([bytes as Uint8Array<ArrayBuffer>])));
    await expect(reader.read('a')).rejects.toThrow(`tensor "a" has dtype=${dtype}`);
    expect((await reader.read('b')).data).toEqual(Uint8Array.of(0));
  });
});

test('a missing tensor is reported with names that are there', async () => {
  const reader = await readSafetensorsSource(bytesSource(good, 'x.safetensors'));
  await expect(reader.read('c')).rejects.toThrow('[io/safetensors] x.safetensors has no tensor "c" among its 2 (for example a, b)');
});

test('pickles are refused by their name before they are opened', async () => {
  for (const name of ['model.bin', 'model.pt', 'model.ckpt', 'model.pth']) {
    await expect(openSafetensors(join(folder, name))).rejects.toThrow(
      /named like a PyTorch pickle checkpoint\. Langevin does not read pickles/,
    );
  }
});

test('a file that shrinks after it was opened is noticed', async () => {
  const path = join(folder, 'shrinks.safetensors');
  await writeFile(path, good);
  const file = await openSafetensors(path);
  await writeFile(path, good.subarray(0, good.length - 10));
  await expect(file.read('a')).rejects.toThrow(/ended inside tensor "a": wanted=24 bytes, got=17/);
  await file.close();
});

test('4,000 seeded mutations raise nothing but our own errors, and what is accepted is consistent', () => {
  const random = seededRandom(20260101);
  const below = (n: number): number => Math.floor(random() * n);
  const pieces = [
    '{',
    '}',
    '[',
    ']',
    '"',
    ',',
    ':',
    '-',
    '9',
    '0',
    '1e9',
    'null',
    '\\u0061',
    'F32',
    'F64',
    '"a"',
    '4294967296',
    '__proto__',
    '\u0000',
  ];
  const seen = { accepted: 0, refused: 0 };
  for (let round = 0; round < 4000; round++) {
    let bytes = [...good];
    for (let edits = 1 + below(2); edits > 0; edits--) {
      // Most edits fall in the header, where there is something to misread.
      const place = below(random() < 0.7 ? good.length - 27 : bytes.length);
      const kind = below(5);
      if (kind === 0) bytes[place] = below(256);
      else if (kind === 1) bytes.splice(place, 1 + below(8));
      else if (kind === 2) bytes.splice(place, below(3), ...new TextEncoder().encode(pieces[below(pieces.length)]));
      else if (kind === 3) bytes = bytes.slice(0, place);
      else bytes[8 + below(100)] = 48 + below(10);
    }
    const mutated = Uint8Array.from(bytes);
    // Half of the time the length is repaired, so that the mutation reaches the JSON.
    if (mutated.length > 40 && round % 2 === 0)
      new DataView(mutated.buffer).setBigUint64(0, BigInt(Math.max(0, mutated.length - 8 - 27)), true);
    try {
      const { tensors } = decodeSafetensors(mutated);
      seen.accepted++;
      const total = [...tensors.values()].reduce((sum, tensor) => sum + tensor.data.byteLength, 0);
      expect(total).toBe(mutated.length - 8 - Number(new DataView(mutated.buffer).getBigUint64(0, true)));
    } catch (error) {
      seen.refused++;
      if (errorKind(error) !== 'user' && errorKind(error) !== 'unsupported') throw error;
      expect((error as Error).message).toMatch(/^\[io\/safetensors\] /);
    }
  }
  // Both outcomes must occur, or the test would prove nothing.
  expect(seen.accepted).toBeGreaterThan(50);
  expect(seen.refused).toBeGreaterThan(2000);
});

function withByte(bytes: Uint8Array, at: number, value: number): Uint8Array {
  bytes[at] = value;
  return bytes;
}

function zipStart(): Uint8Array {
  return Uint8Array.from([0x50, 0x4b, 3, 4, 0, 0, 8, 8, 0, 0, 0, 0, 0, 0, 0, 0]);
}

function pickleStart(): Uint8Array {
  return Uint8Array.from([0x80, 2, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8]);
}
