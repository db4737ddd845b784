import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HostTensor } from '@langevin/io';
import { decodeSafetensors, encodeSafetensors, parseSafetensorsHeader } from '@langevin/io';
import { openSafetensors, readSafetensors, writeSafetensors, writeSafetensorsFolder } from '@langevin/io/node';
import { UserError } from '@langevin/tensor';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'langevin-io-'));
});
afterEach(() => rm(folder, { recursive: true }));

const floats = (...values: number[]): HostTensor => ({ dtype: 'float32', shape: [values.length], data: Float32Array.from(values) });

describe('encoding', () => {
  test('aligns the data to 8 bytes and each tensor to its elements, whatever the names and order', () => {
    for (let length = 1; length <= 16; length++) {
      const bytes = encodeSafetensors({
        ['n'.repeat(length)]: { dtype: 'bool', shape: [1], data: Uint8Array.of(1) },
        half: { dtype: 'float16', shape: [3], data: new Uint16Array(3) },
        long: { dtype: 'int64', shape: [], data: BigInt64Array.of(5n) },
        f: floats(1),
      });
      const header = parseSafetensorsHeader(bytes, { fileBytes: bytes.length });
      expect(header.dataOffset % 8).toBe(0);
      expect(header.entries.get('long')!.offset % 8).toBe(0);
      expect(header.entries.get('f')!.offset % 4).toBe(0);
      expect(header.entries.get('half')!.offset % 2).toBe(0);
    }
  });

  test('does not depend on the order in which tensors and metadata are given', () => {
    const one = encodeSafetensors(
      { b: floats(1), 10: floats(2), a: floats(3), '\u{1f600}': floats(4), '\uffee': floats(5) },
      { metadata: { x: '1', a: '2' } },
    );
    const two = encodeSafetensors(
      new Map([
        ['\uffee', floats(5)],
        ['a', floats(3)],
        ['\u{1f600}', floats(4)],
        ['10', floats(2)],
        ['b', floats(1)],
      ]),
      { metadata: { a: '2', x: '1' } },
    );
    expect(one).toEqual(two);
    // In UTF-8 the emoji comes last; in UTF-16 it would come before U+FFEE.
    expect([...decodeSafetensors(one).tensors.keys()]).toEqual(['10', 'a', 'b', '\uffee', '\u{1f600}']);
  });

  test('an empty file is a file', () => {
    expect(decodeSafetensors(encodeSafetensors({})).tensors.size).toBe(0);
  });

  test('names and metadata survive, also odd ones', () => {
    const names = ['__proto__', 'constructor', '', ' ', 'a"b\\c\n', '10'];
    const bytes = encodeSafetensors(new Map(names.map((name, i) => [name, floats(i)])), { metadata: { 'k"': 'v\n' } });
    const { tensors, metadata } = decodeSafetensors(bytes);
    for (const [i, name] of names.entries()) expect(tensors.get(name)!.data).toEqual(Float32Array.of(i));
    expect(metadata).toEqual({ 'k"': 'v\n' });
  });

  test.each([
    [
      'data of another length',
      { a: { dtype: 'float32', shape: [3], data: new Float32Array(2) } },
      /tensor "a" has shape=\[3\] = 3 elements, but its data has 2/,
    ],
    [
      'data of another type',
      { a: { dtype: 'float16', shape: [2], data: new Float32Array(2) } },
      /dtype=float16, but its data is a Float32Array/,
    ],
    ['a negative dimension', { a: { dtype: 'float32', shape: [-1], data: new Float32Array(1) } }, /shape=\[-1\]/],
    ['the reserved name', { __metadata__: { dtype: 'float32', shape: [1], data: new Float32Array(1) } }, /name=__metadata__ is reserved/],
    ['a lone surrogate', { '\ud800': { dtype: 'float32', shape: [1], data: new Float32Array(1) } }, /not well-formed text/],
  ])('%s is refused', (_, tensors, message) => {
    expect(() => encodeSafetensors(tensors as unknown as Record<string, HostTensor>)).toThrow(UserError);
    expect(() => encodeSafetensors(tensors as unknown as Record<string, HostTensor>)).toThrow(message);
  });
});

describe('writing files', () => {
  test('streams a tensor in pieces, as the same bytes as from memory', async () => {
    const data = Float32Array.from({ length: 1000 }, (_, i) => i / 3);
    const bytes = new Uint8Array(data.buffer);
    const path = join(folder, 'streamed.safetensors');
    async function* stream(): AsyncIterable<Uint8Array> {
      for (let i = 0; i < bytes.length; i += 333) yield Promise.resolve(bytes.subarray(i, i + 333));
    }
    await writeSafetensors(path, { w: { dtype: 'float32', shape: [10, 100], stream }, b: floats(7) });
    expect(new Uint8Array(await readFile(path))).toEqual(
      encodeSafetensors({ w: { dtype: 'float32', shape: [10, 100], data }, b: floats(7) }),
    );
  });

  test.each([
    ['too little', 3],
    ['too much', 5],
  ])('a stream that gives %s leaves the old file', async (_, count) => {
    const path = join(folder, 'w.safetensors');
    await writeSafetensors(path, { old: floats(1) });
    const before = await readFile(path);
    const stream = (): Uint8Array[] => [new Uint8Array(count)];
    await expect(writeSafetensors(path, { w: { dtype: 'uint8', shape: [4], stream } })).rejects.toThrow(/tensor "w" streamed/);
    expect(await readFile(path)).toEqual(before);
    expect(await readdir(folder)).toEqual(['w.safetensors']);
  });
});

describe('shards', () => {
  const tensors = Object.fromEntries(Array.from({ length: 7 }, (_, i) => [`layer.${i}.weight`, floats(i, i, i, i)]));

  test('are written with an index and read as one', async () => {
    const path = await writeSafetensorsFolder(folder, tensors, { name: 'm', maxShardBytes: 40, metadata: { format: 'pt' } });
    expect((await readdir(folder)).sort()).toEqual([
      'm-00001-of-00004.safetensors',
      'm-00002-of-00004.safetensors',
      'm-00003-of-00004.safetensors',
      'm-00004-of-00004.safetensors',
      'm.safetensors.index.json',
    ]);
    const read = await readSafetensors(path);
    expect(Object.fromEntries(read.tensors)).toEqual(tensors);
    expect(read.metadata).toEqual({ format: 'pt' });
    const file = await openSafetensors(path);
    expect(file.slice('layer.6.weight').path).toBe(join(folder, 'm-00004-of-00004.safetensors'));
    await expect(file.read('nothing')).rejects.toThrow(/no tensor "nothing" among its 7/);
    await file.close();
  });

  test('are not made when one file is enough', async () => {
    const path = await writeSafetensorsFolder(folder, tensors);
    expect(path).toBe(join(folder, 'model.safetensors'));
    expect(Object.fromEntries((await readSafetensors(path)).tensors)).toEqual(tensors);
  });

  const index = async (content: unknown): Promise<string> => {
    const path = join(folder, 'bad.safetensors.index.json');
    await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
    return path;
  };

  test.each([
    '../secret.safetensors',
    '/etc/x.safetensors',
    'a/b.safetensors',
    'a\\b.safetensors',
    'C:x.safetensors',
    '..',
    '',
    'x.json',
    'a\u0000.safetensors',
  ])('the shard name %j is refused', async (name) => {
    await expect(openSafetensors(await index({ weight_map: { w: name } }))).rejects.toThrow(
      /only \*\.safetensors files beside the index are allowed/,
    );
  });

  test('a pickle shard is refused', async () => {
    await expect(openSafetensors(await index({ weight_map: { w: 'pytorch_model-00001-of-00002.bin' } }))).rejects.toThrow(
      /does not read pickles/,
    );
  });

  test('missing shards are all named', async () => {
    await writeSafetensors(join(folder, 'a.safetensors'), { w: floats(1) });
    const path = await index({ weight_map: { w: 'a.safetensors', x: 'b.safetensors', y: 'c.safetensors' } });
    await expect(openSafetensors(path)).rejects.toThrow(/names 2 of 3 files that are missing: b\.safetensors, c\.safetensors/);
  });

  test('a tensor that its shard lacks is named', async () => {
    await writeSafetensors(join(folder, 'a.safetensors'), { w: floats(1) });
    await expect(openSafetensors(await index({ weight_map: { v: 'a.safetensors' } }))).rejects.toThrow(
      /tensor "v" is in "a\.safetensors", but it is not/,
    );
  });

  test.each([
    ['[]', /wrong form/],
    ['{"weight_map": {"a": 1}}', /weight_map\.a=1, expected string/],
    ['{}', /weight_map/],
    ['{"weight_map": {"a": "x.safetensors", "a": "y.safetensors"}}', /names the key "a" twice/],
    ['nonsense', /not valid JSON/],
  ])('the index %s is refused', async (text, message) => {
    const error: unknown = await openSafetensors(await index(text)).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(UserError);
    expect((error as Error).message).toMatch(message);
  });
});
