import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  bytesSource,
  decodeBlocks,
  encodeSafetensors,
  float8ToFloat16,
  float8Values,
  isFloat8,
  readGgufSource,
  scaledFloat8,
} from '@langevin/io';
import { heldSource, openSafetensors, readJson } from '@langevin/io/node';
import { fromFloat16Bits, UnsupportedError, UserError } from '@langevin/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** See tooling/parity/stored_weights_golden.py. */
interface Golden {
  readonly float8: Readonly<Record<string, string>>;
  readonly blocks: Readonly<
    Record<string, { readonly elements: number; readonly bytes: number; readonly blocks: string; readonly values: string }>
  >;
  readonly file: string;
  readonly tensors: Readonly<Record<string, { readonly shape: readonly number[]; readonly stored: string; readonly values: string }>>;
}

const golden = (await readJson(join(import.meta.dirname, 'golden/stored-weights.json'))) as Golden;
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'));
const floats = (text: string): Float32Array => new Float32Array(bytes(text).buffer as ArrayBuffer);

let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'langevin-stored-'))));
afterAll(() => rm(folder, { recursive: true }));

describe('floats of 8 bits', () => {
  const all = Uint8Array.from({ length: 256 }, (_, i) => i);

  it.each(Object.keys(golden.float8))('%s are the numbers that torch has, in float32 and in float16', (form) => {
    if (!isFloat8(form)) throw new Error(form);
    const wanted = floats(golden.float8[form]!);
    expect(float8Values(form)).toEqual(wanted);
    expect(Float32Array.from(float8ToFloat16(all, form), fromFloat16Bits)).toEqual(wanted);
  });

  it('are multiplied by one scale, or by that of their row', () => {
    const one = Uint8Array.of(0x38, 0xb8, 0x40, 0x30);
    expect(scaledFloat8(one, 'F8_E4M3', Float32Array.of(0.5))).toEqual(Float32Array.of(0.5, -0.5, 1, 0.25));
    expect(scaledFloat8(one, 'F8_E4M3', Float32Array.of(2, 10))).toEqual(Float32Array.of(2, -2, 20, 5));
  });
});

describe('GGUF', () => {
  it.each(Object.keys(golden.blocks))('blocks of %s are the numbers that its own package reads', (name) => {
    const { elements, bytes: size, blocks, values } = golden.blocks[name]!;
    expect(decodeBlocks(bytes(blocks), { name, elements, bytes: size })).toEqual(floats(values));
  });

  it('a file of its own package is read: notes, shapes, numbers', async () => {
    const file = await readGgufSource(bytesSource(bytes(golden.file)));
    expect(Object.fromEntries(file.notes)).toMatchObject({
      'general.architecture': 'sd1',
      'a.number': 7,
      'a.list': ['x', 'y'],
      'a.flag': true,
      'a.float': 0.25,
    });
    expect([...file.entries.keys()].sort()).toEqual(Object.keys(golden.tensors).sort());
    for (const [name, { shape, stored, values }] of Object.entries(golden.tensors)) {
      expect(file.entries.get(name)).toMatchObject({ shape, stored });
      const { data, dtype } = await file.read(name);
      const found = dtype === 'float16' ? Float32Array.from(data as Uint16Array, fromFloat16Bits) : data;
      expect(found).toEqual(floats(values));
    }
    await expect(file.read('nothing')).rejects.toThrow(UserError);
  });

  it('is read in pieces where its header is long', async () => {
    const whole = bytes(golden.file);
    const reads: number[] = [];
    const source = bytesSource(whole);
    await readGgufSource({ ...source, read: (offset, length) => (reads.push(length), source.read(offset, length)) });
    expect(reads).toEqual([whole.length]);
  });

  it('a file that is damaged anywhere in its header is refused in words, and takes no memory', async () => {
    const whole = bytes(golden.file);
    let refused = 0;
    for (let at = 0; at < 700; at++) {
      for (const value of [0, 0x7f, 0xff]) {
        const damaged = whole.slice();
        damaged[at] = value;
        const problem = await readGgufSource(bytesSource(damaged)).then(
          () => undefined,
          (error: unknown) => error,
        );
        if (problem === undefined) continue;
        refused++;
        expect(problem).toBeInstanceOf(UserError);
        expect((problem as Error).message).toMatch(/^\[io\/gguf\] /u);
      }
    }
    expect(refused).toBeGreaterThan(200);
  });

  it('a file that ends early is refused', async () => {
    const whole = bytes(golden.file);
    const { entries } = await readGgufSource(bytesSource(whole));
    // Behind the last tensor there may be padding.
    const end = Math.max(...[...entries.values()].map(({ offset, byteLength }) => offset + byteLength));
    for (let length = 0; length < end; length += 37)
      await expect(readGgufSource(bytesSource(whole.slice(0, length)))).rejects.toThrow(
        /ends inside its header|reaches past the end|than fit into it/u,
      );
  });

  it('a header that promises more than the file can hold is refused before anything is made', async () => {
    const head = (tensors: bigint, notes: bigint): Uint8Array => {
      const made = new Uint8Array(64);
      const view = new DataView(made.buffer);
      made.set(Buffer.from('GGUF'));
      view.setUint32(4, 3, true);
      view.setBigUint64(8, tensors, true);
      view.setBigUint64(16, notes, true);
      return made;
    };
    await expect(readGgufSource(bytesSource(head(2n ** 40n, 0n)))).rejects.toThrow('more tensors than fit into it');
    await expect(readGgufSource(bytesSource(head(2n ** 63n, 0n)))).rejects.toThrow('impossible');
    await expect(readGgufSource(bytesSource(head(0n, 1000n)))).rejects.toThrow('more notes than fit into it');
  });

  it('types that are not read are named, with those that are', async () => {
    const whole = bytes(golden.file);
    // The type of the last tensor, `linear.weight` in Q5_0, becomes IQ4_NL: blocks of as many elements in fewer bytes.
    const text = Buffer.from(whole).lastIndexOf('linear.weight');
    const damaged = whole.slice();
    new DataView(damaged.buffer).setUint32(text + 'linear.weight'.length + 4 + 16, 20, true);
    const file = await readGgufSource(bytesSource(damaged));
    expect(file.entries.get('linear.weight')).toMatchObject({ stored: 'IQ4_NL', dtype: null });
    await expect(file.read('linear.weight')).rejects.toThrow(UnsupportedError);
    await expect(file.read('linear.weight')).rejects.toThrow('Q8_0');
  });
});

describe('a file that is open while it is read', () => {
  const tensors = {
    a: { dtype: 'float32', shape: [2], data: Float32Array.of(1, 2) },
    b: { dtype: 'uint8', shape: [1], data: Uint8Array.of(7) },
  } as const;

  it('gives its tensors through one handle, may be closed at any time, and reads on after it', async () => {
    const path = join(folder, 'held.safetensors');
    await writeFile(path, encodeSafetensors(tensors));
    const file = await openSafetensors(path, { handle: 'while-reading' });
    const [a, b] = await Promise.all([file.read('a'), file.read('b')]);
    expect([a.data, b.data]).toEqual([Float32Array.of(1, 2), Uint8Array.of(7)]);
    await file.close();
    expect(await file.readStored('b')).toEqual(Uint8Array.of(7));
    await file.close();
    await rename(path, `${path}.gone`);
    await expect(file.read('a')).rejects.toThrow('ENOENT');
    await rename(`${path}.gone`, path);
    expect((await file.read('a')).data).toEqual(Float32Array.of(1, 2));
    await file.close();
  });

  it('holds no handle before the first read', async () => {
    const path = join(folder, 'idle.bin');
    await writeFile(path, 'abcdef');
    const source = await heldSource(path);
    const handles = async (): Promise<number> => {
      const { readdir, readlink } = await import('node:fs/promises');
      const open = await readdir('/proc/self/fd');
      const links = await Promise.all(open.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')));
      return links.filter((link) => link === path).length;
    };
    if (process.platform !== 'linux') return;
    expect(await handles()).toBe(0);
    const parts = await Promise.all(Array.from({ length: 6 }, (_, i) => source.read(i, 1)));
    expect(Buffer.concat(parts).toString()).toBe('abcdef');
    expect(await handles()).toBe(1);
    await source.close();
    expect(await handles()).toBe(0);
    expect(await readFile(path, 'utf8')).toBe('abcdef');
  });
});
