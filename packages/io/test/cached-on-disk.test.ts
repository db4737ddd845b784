import { readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { defineSource, mapSource, pickFromData, pictureSource, type Image, type PictureItem } from '@langevin/io';
import { cachedOnDisk, cachedPictures } from '@langevin/io/node';
import { UserError } from '@langevin/tensor';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from './temporary-folder.ts';

const encode = (value: number) => Uint8Array.of(value);
const decode = (bytes: Uint8Array) => bytes[0]!;

/** Numbers that count how often they are loaded. */
function counted(length = 4, contentOf: (i: number) => string = String) {
  const loads: number[] = [];
  const source = defineSource({ name: 'numbers', length, contentOf, load: (i) => (loads.push(i), i + 10) });
  return { source, loads };
}

async function entries(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder, { recursive: true });
  return names.filter((name) => /^[0-9a-f]{2}.[0-9a-f]{62}$/u.test(name)).map((name) => join(folder, name));
}

describe('items on disk', () => {
  test('are loaded once, by whichever process comes first', async () => {
    const folder = await temporaryFolder();
    const [a, b] = [counted(), counted()];
    const first = await cachedOnDisk(a.source, { folder, key: 'k', encode, decode });
    expect(await Promise.all([0, 1, 2, 3].map((i) => first.load(i)))).toEqual([10, 11, 12, 13]);
    const second = await cachedOnDisk(b.source, { folder, key: 'k', encode, decode });
    expect(await Promise.all([0, 1, 2, 3].map((i) => second.load(i)))).toEqual([10, 11, 12, 13]);
    expect([a.loads.length, b.loads]).toEqual([4, []]);
    await expect(second.load(4)).rejects.toThrow('item=4');
  });

  test('of another content, key or name are other entries', async () => {
    const folder = await temporaryFolder();
    const load = async (content: string, key: unknown, name = 'numbers') => {
      const { source, loads } = counted(1, () => content);
      const named = defineSource({ ...source, name, itemName: () => name });
      await (await cachedOnDisk(named, { folder, key, encode, decode })).load(0);
      return loads.length;
    };
    expect(await load('a', 'k')).toBe(1);
    expect(await load('a', 'k')).toBe(0);
    expect(await load('b', 'k')).toBe(1);
    expect(await load('a', { size: 32 })).toBe(1);
    expect(await load('a', 'k', 'others')).toBe(1);
  });

  test('that are cut, changed or no entries are loaded anew, and mended', async () => {
    const folder = await temporaryFolder();
    const { source, loads } = counted(1);
    const cached = await cachedOnDisk(source, { folder, key: 'k', encode, decode });
    await cached.load(0);
    const [path] = await entries(folder);
    const whole = await readFile(path!);
    for (const damaged of [whole.subarray(0, 20), new Uint8Array(0), Buffer.concat([whole, Buffer.of(1)]), whole.map((byte) => byte ^ 1)]) {
      await writeFile(path!, damaged);
      const before = loads.length;
      expect(await cached.load(0)).toBe(10);
      expect(loads.length).toBe(before + 1);
      expect(await readFile(path!)).toEqual(whole);
    }
    const picky = await cachedOnDisk(source, { folder, key: 'k', encode, decode: () => Promise.reject(new Error('of old')) });
    expect(await picky.load(0)).toBe(10);
  });

  test('are as many as fit, and the one that was used last stays; other files are left alone', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'notes.txt'), 'mine');
    const { source, loads } = counted(64);
    // 132 bytes an entry with its checksum: 15 fit into 15 sixteenths of the bound.
    const options = { folder, key: 'k', encode: () => new Uint8Array(100), decode, maxBytes: 16 * 132 };
    const cached = await cachedOnDisk(source, options);
    for (let i = 0; i < 64; i += 1) {
      await cached.load(i);
      const files = await entries(folder);
      const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
      expect(sizes.reduce((a, b) => a + b, 0)).toBeLessThanOrEqual(options.maxBytes);
      // Dates of files are no finer than a test is fast.
      for (const file of files) if (Date.now() - (await stat(file)).mtimeMs < 5000) await utimes(file, 1e9 + i, 1e9 + i);
      await cached.load(0);
      expect(loads.filter((each) => each === 0)).toHaveLength(1);
      for (const file of files) if (Date.now() - (await stat(file)).mtimeMs < 5000) await utimes(file, 1e9 + i + 0.5, 1e9 + i + 0.5);
    }
    expect((await entries(folder)).length).toBeGreaterThanOrEqual(14);
    expect(await readFile(join(folder, 'notes.txt'), 'utf8')).toBe('mine');
  });

  test('that are too large are not kept', async () => {
    const folder = await temporaryFolder();
    const { source, loads } = counted(1);
    const cached = await cachedOnDisk(source, { folder, key: 'k', encode, decode, maxBytes: 16 * 32 });
    await cached.load(0);
    await cached.load(0);
    expect([loads.length, await entries(folder)]).toEqual([2, []]);
  });

  test('fail as they would without a cache, and leave nothing', async () => {
    const folder = await temporaryFolder();
    const broken = defineSource<number>({ name: 'x', length: 1, contentOf: String, load: () => Promise.reject(new Error('unreadable')) });
    await expect((await cachedOnDisk(broken, { folder, key: 'k', encode, decode })).load(0)).rejects.toThrow('unreadable');
    const { source } = counted();
    await expect((await cachedOnDisk(source, { folder, key: 'k', encode: () => 'x' as never, decode })).load(0)).rejects.toThrow(
      '[io/cache] an item is encoded as bytes: source=numbers, item=0',
    );
    expect(await entries(folder)).toEqual([]);
  });

  test.each<[string, object, RegExp]>([
    ['a key that is no JSON', { key: 1n }, /key is no JSON: key=/u],
    ['no key', { key: undefined }, /key is no JSON/u],
    ['a bound below 0', { maxBytes: -1 }, /maxBytes=-1/u],
    ['a folder that is none', { folder: '' }, /\[io\/folder\]/u],
  ])('are refused with %s', async (_, other, message) => {
    const folder = await temporaryFolder();
    const { source } = counted();
    const attempt = cachedOnDisk(source, { folder, key: 'k', encode, decode, ...other });
    await expect(attempt).rejects.toThrow(UserError);
    await expect(attempt).rejects.toThrow(message);
  });

  test('of a source that cannot tell what they depend on are refused', async () => {
    const blind = defineSource({ name: 'blind', length: 1, load: (i) => i });
    const folder = await temporaryFolder();
    await expect(cachedOnDisk(blind, { folder, key: 'k', encode, decode })).rejects.toThrow(
      /cannot tell what its items depend on: source=blind/u,
    );
    const { source } = counted();
    expect(
      await (
        await cachedOnDisk(
          mapSource(source, (i) => i * 2),
          { folder, key: 'doubled', encode, decode },
        )
      ).load(1),
    ).toBe(22);
  });
});

describe('pictures on disk', () => {
  const grey = (level: number): Image => ({ width: 2, height: 1, channels: 1, data: Uint8Array.of(level, 100 + level) });

  test('come back with their notes; a part of the data shares the entries', async () => {
    const folder = await temporaryFolder();
    const plain = pictureSource({ name: 'greys', pictures: [grey(1), grey(2), grey(3)], labels: [0, 1, 2] });
    let loads = 0;
    const source = { ...plain, load: async (i: number): Promise<PictureItem> => ((loads += 1), plain.load(i)) };
    const cached = await cachedPictures(source, { folder });
    const before = await cached.load(2);
    const after = await cached.load(2);
    const ofPart = await (await cachedPictures(pickFromData(source, [2, 0]), { folder })).load(0);
    expect(loads).toBe(1);
    for (const item of [after, ofPart]) {
      expect(item).toEqual({ ...before, image: { ...before.image, data: item.image.data } });
      expect([...item.image.data]).toEqual([3, 103]);
    }
    expect(cached.about(1)).toEqual(plain.about(1));
  });
});
