import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import type { Dataset, DatasetPlugin, Image } from '@langevin/io';
import { defineDataset, memoryDataset } from '@langevin/io';
import {
  cifar10Dataset,
  datasetPlugins,
  emojiDataset,
  encodeImage,
  idxDataset,
  imageFolderDataset,
  loadDataset,
  writeImage,
} from '@langevin/io/node';
import { UnsupportedError, UserError } from '@langevin/tensor';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'langevin-io-'));
});
afterEach(() => rm(folder, { recursive: true }));

const solid = (colour: readonly [number, number, number], size = 2): Image => ({
  width: size,
  height: size,
  channels: 3,
  data: Uint8Array.from({ length: 3 * size * size }, (_, i) => colour[i % 3]!),
});

const names = (dataset: Dataset): string[] => Array.from({ length: dataset.length }, (_, i) => dataset.itemName(i));
const labels = (dataset: Dataset): number[] => Array.from({ length: dataset.length }, (_, i) => dataset.item(i).label);

describe('the family', () => {
  test('every data set that a file of src/datasets exports is in the list', async () => {
    const folder = join(import.meta.dirname, '../src/datasets');
    const files = (await readdir(folder)).filter((name) => /^[a-z0-9-]+\.ts$/.test(name) && name !== 'registry.ts');
    const modules = await Promise.all(
      files.map((name) => import(pathToFileURL(join(folder, name)).href) as Promise<Record<string, unknown>>),
    );
    const isPlugin = (value: unknown): value is DatasetPlugin =>
      typeof value === 'object' && value !== null && 'load' in value && 'summary' in value;
    const found = modules.flatMap((module) => Object.values(module).filter(isPlugin));
    expect(found.map(({ name }) => name).sort()).toEqual(datasetPlugins.map(({ name }) => name).sort());
    expect(found.length).toBeGreaterThanOrEqual(4);
  });

  test('a plugin from outside is loaded by its name', async () => {
    const mine = defineDataset({
      name: 'mine',
      summary: 'One pixel.',
      parse: (options) => options as { value: number },
      load: ({ value }) => Promise.resolve(memoryDataset({ name: 'mine', imageShape: [1, 1, 1], images: Uint8Array.of(value) })),
    });
    const dataset = await loadDataset({ name: 'mine', value: 7 }, [...datasetPlugins, mine]);
    expect(dataset.item(0)).toEqual({ image: Uint8Array.of(7), label: 0 });
  });

  test('an unknown name lists those that exist', async () => {
    await expect(loadDataset({ name: 'cifar' })).rejects.toThrow(
      '[io/datasets] unknown data set name="cifar". Did you mean "cifar10"? Known: cifar10, emoji, idx, image-folder.',
    );
    await expect(loadDataset(null)).rejects.toThrow(UserError);
  });

  test('an unknown or wrong option is named', async () => {
    await expect(loadDataset({ name: 'cifar10', folder, spilt: 'test' })).rejects.toThrow(
      'cifar10 options has the wrong form: spilt is not known. Did you mean "split"? Known: folder, split. Correct these entries.',
    );
    await expect(loadDataset({ name: 'cifar10' })).rejects.toThrow('folder is missing');
    await expect(loadDataset({ name: 'emoji', size: 1e9 })).rejects.toThrow('size=1000000000, expected <=4096');
  });

  test('arrays that disagree make no data set', () => {
    const imageShape = [1, 1, 2] as const;
    expect(() => memoryDataset({ name: 'x', imageShape, images: new Uint8Array(3) })).toThrow(/not one or more images of 2/);
    expect(() => memoryDataset({ name: 'x', imageShape, images: new Uint8Array(0) })).toThrow(UserError);
    expect(() => memoryDataset({ name: 'x', imageShape, images: new Uint8Array(4), labels: new Int32Array(1) })).toThrow(
      /images=2, labels=1/,
    );
    expect(() =>
      memoryDataset({ name: 'x', imageShape, images: new Uint8Array(2), labels: Int32Array.of(2), classes: ['a', 'b'] }),
    ).toThrow(/labels\[0\]=2 is not from 0 to 1/);
    expect(() => memoryDataset({ name: 'x', imageShape, images: new Uint8Array(2) }).item(1)).toThrow(/item 1 does not exist; length=1/);
  });
});

describe('image-folder', () => {
  test('sub-folders are classes, order is by name, other files are left alone', async () => {
    for (const [path, red] of [
      ['dog/10.png', 10],
      ['dog/9.png', 9],
      ['Cat/deep/er/x.png', 1],
      ['ant/a.jpg', 0],
    ] as const) {
      await mkdir(join(folder, path, '..'), { recursive: true });
      await writeImage(join(folder, path), solid([red, 0, 0]));
    }
    await writeFile(join(folder, 'dog', 'notes.txt'), 'x');
    await symlink(folder, join(folder, 'dog', 'loop'));
    const dataset = await imageFolderDataset.load({ folder, size: 2 });
    expect(dataset.classes).toEqual(['Cat', 'ant', 'dog']);
    expect(names(dataset)).toEqual(['Cat/deep/er/x.png', 'ant/a.jpg', 'dog/10.png', 'dog/9.png']);
    expect(labels(dataset)).toEqual([0, 1, 2, 2]);
    expect([...dataset.item(2).image]).toEqual([10, 10, 10, 10, 0, 0, 0, 0, 0, 0, 0, 0]);
  });

  test('without sub-folders there are no classes', async () => {
    await writeImage(join(folder, 'a.png'), solid([1, 2, 3], 8));
    const dataset = await imageFolderDataset.load({ folder, size: 4, channels: 'grey' });
    expect([dataset.classes, dataset.imageShape, dataset.item(0).label]).toEqual([null, [1, 4, 4], 0]);
  });

  test('an unreadable file is named, or skipped and reported', async () => {
    await writeImage(join(folder, 'a.png'), solid([1, 2, 3]));
    const whole = await encodeImage(solid([9, 9, 9], 32), { format: 'png' });
    await writeFile(join(folder, 'b.png'), whole.subarray(0, whole.length - 20));
    await writeImage(join(folder, 'c.png'), solid([4, 5, 6]));
    await expect(imageFolderDataset.load({ folder })).rejects.toThrow(/b\.png" cannot be decoded/);
    const dataset = await imageFolderDataset.load({ folder, size: 2, onUnreadable: 'skip' });
    expect(names(dataset)).toEqual(['a.png', 'c.png']);
    expect(dataset.item(1).image[0]).toBe(4);
    expect(dataset.skipped).toEqual([{ path: join(folder, 'b.png'), reason: expect.stringContaining('cannot be decoded') as string }]);
  });

  test('no image, a missing folder, unclear classes and nothing readable are refused', async () => {
    await expect(imageFolderDataset.load({ folder })).rejects.toThrow(/has no image/);
    await expect(imageFolderDataset.load({ folder: join(folder, 'no') })).rejects.toThrow(/code=ENOENT/);
    await writeFile(join(folder, 'a.png'), 'not an image');
    await expect(imageFolderDataset.load({ folder, onUnreadable: 'skip' })).rejects.toThrow(/none of 1 images can be read/);
    await mkdir(join(folder, 'sub'));
    await writeFile(join(folder, 'sub', 'b.png'), 'not an image');
    await expect(imageFolderDataset.load({ folder })).rejects.toThrow(/both beside and inside its sub-folders/);
  });
});

describe('cifar10', () => {
  const record = (label: number, start: number): Uint8Array =>
    Uint8Array.from({ length: 3073 }, (_, i) => (i === 0 ? label : (start + i - 1) % 256));

  test('reads batches in numeric order', async () => {
    await writeFile(join(folder, 'data_batch_10.bin'), record(9, 10));
    await writeFile(join(folder, 'data_batch_2.bin'), Buffer.concat([record(3, 2), record(4, 3)]));
    await writeFile(join(folder, 'test_batch.bin'), record(0, 99));
    const dataset = await cifar10Dataset.load({ folder });
    expect([dataset.length, dataset.imageShape, dataset.classes![3]]).toEqual([3, [3, 32, 32], 'cat']);
    expect(labels(dataset)).toEqual([3, 4, 9]);
    expect(dataset.item(2).image).toEqual(record(9, 10).subarray(1));
    expect((await cifar10Dataset.load({ folder, split: 'test' })).item(0).image[0]).toBe(99);
  });

  test('a file of another size, a wrong label and an empty folder are refused', async () => {
    await expect(cifar10Dataset.load({ folder })).rejects.toThrow(/has no data_batch_N\.bin/);
    await writeFile(join(folder, 'data_batch_1.bin'), new Uint8Array(3072));
    await expect(cifar10Dataset.load({ folder })).rejects.toThrow(/data_batch_1\.bin" is not whole: size=3072 is not a multiple of 3073/);
    await writeFile(join(folder, 'data_batch_1.bin'), Buffer.concat([record(0, 0), record(10, 0)]));
    await expect(cifar10Dataset.load({ folder })).rejects.toThrow(/record 1 has label=10/);
  });
});

describe('idx', () => {
  const idx = (shape: readonly number[], data: readonly number[] | Uint8Array, type = 8): Uint8Array => {
    const bytes = new Uint8Array(4 + 4 * shape.length + data.length);
    bytes.set([0, 0, type, shape.length]);
    for (const [i, size] of shape.entries()) new DataView(bytes.buffer).setUint32(4 + 4 * i, size);
    bytes.set(data, 4 + 4 * shape.length);
    return bytes;
  };
  const put = async (name: string, bytes: Uint8Array): Promise<string> => {
    await writeFile(join(folder, name), bytes);
    return join(folder, name);
  };

  test.each([
    ['plain', (b: Uint8Array) => b],
    ['gzip', (b: Uint8Array) => gzipSync(b)],
  ])('reads %s images and labels', async (_, pack) => {
    const images = await put('i', pack(idx([2, 2, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])));
    const dataset = await idxDataset.load({ images, labels: await put('l', pack(idx([2], [3, 1]))) });
    expect([dataset.length, dataset.imageShape, dataset.classes]).toEqual([2, [1, 2, 3], ['0', '1', '2', '3']]);
    expect(dataset.item(1)).toEqual({ image: Uint8Array.of(7, 8, 9, 10, 11, 12), label: 1 });
  });

  test('reads colour, and images without labels', async () => {
    const dataset = await idxDataset.load({ images: await put('i', idx([1, 3, 1, 1], [1, 2, 3])) });
    expect([dataset.imageShape, dataset.classes]).toEqual([[3, 1, 1], null]);
  });

  test.each([
    ['another magic number', Uint8Array.of(1, 0, 8, 3, 0, 0), /magic=01 00 08 03/],
    ['no bytes', new Uint8Array(0), /magic=none/],
    ['no dimensions', idx([], []), /does not start like one/],
    ['a cut header', idx([1, 1, 1], [1]).subarray(0, 10), /truncated inside its header: size=10 bytes, 16 needed/],
    ['an unknown type', idx([1, 1, 1], [1], 7), /unknown element type=7/],
    ['too few bytes', idx([2, 1, 1], [1]), /needs 18 bytes, it has 17/],
    ['too many bytes', idx([1, 1, 1], [1, 2]), /needs 17 bytes, it has 18/],
    [
      'sizes that would fill the memory',
      idx([2 ** 32 - 1, 2 ** 32 - 1, 2 ** 32 - 1], [1]),
      /announces shape=\[4294967295, 4294967295, 4294967295\]/,
    ],
    [
      'cut gzip data',
      gzipSync(
        idx(
          [1, 40, 40],
          Uint8Array.from({ length: 1600 }, (_, i) => (i * i) % 251),
        ),
      ).subarray(0, 120),
      /cannot be unpacked/,
    ],
    ['a gzip bomb', gzipSync(idx([1, 1, 1], new Uint8Array(1e7))), /cannot be unpacked: .*ERR_BUFFER_TOO_LARGE/],
    ['one dimension', idx([3], [1, 2, 3]), /images are \[N, H, W\] or \[N, C, H, W\]/],
  ])('%s is refused', async (_, bytes, message) => {
    const images = await put('i', bytes);
    await expect(idxDataset.load({ images })).rejects.toThrow(UserError);
    await expect(idxDataset.load({ images })).rejects.toThrow(message);
  });

  test('elements that are not bytes are unsupported', async () => {
    const images = await put('i', idx([1, 1, 1], [1, 2, 3, 4], 13));
    await expect(idxDataset.load({ images })).rejects.toThrow(UnsupportedError);
  });

  test('labels of another split are refused', async () => {
    const images = await put('i', idx([2, 1, 1], [1, 2]));
    await expect(idxDataset.load({ images, labels: await put('l', idx([3], [0, 0, 0])) })).rejects.toThrow(
      /images=2 but labels have shape=\[3\]/,
    );
  });
});

describe('emoji', () => {
  const small = { size: 32, onlySubcategories: ['cat-face', 'monkey-face'] } as const;

  test('labels each emoji by itself, without the man and woman of a person, and without chosen subcategories', async () => {
    const options = { size: 8, labels: 'name', onlySubcategories: ['person-gesture', 'heart'] } as const;
    const all = await emojiDataset.load(options);
    expect(all.classes).toHaveLength(all.length);
    expect(all.classes).toContain('heavy black heart');
    const neutral = await emojiDataset.load({ ...options, genders: 'exclude' });
    expect(neutral.length).toBeLessThan(all.length);
    expect(neutral.classes!.filter((name) => /^(?:man|woman) /.test(name))).toEqual([]);
    const hearts = await emojiDataset.load({ ...options, excludeSubcategories: ['person-gesture'] });
    expect(hearts.classes).toEqual((await emojiDataset.load({ ...options, onlySubcategories: ['heart'] })).classes);
    await expect(emojiDataset.load({ ...options, excludeSubcategories: ['hart'] })).rejects.toThrow(
      'excludeSubcategories names "hart", which does not exist.',
    );
  });

  test('are named, labelled and in the order of the Unicode charts', async () => {
    const dataset = await emojiDataset.load({ ...small, labels: 'subcategory' });
    expect(dataset.classes).toEqual(['cat-face', 'monkey-face']);
    expect([dataset.length, dataset.imageShape]).toEqual([12, [3, 32, 32]]);
    expect(dataset.itemName(0)).toBe('smiling cat face with open mouth');
    expect(dataset.itemName(11)).toBe('speak-no-evil monkey');
    expect(labels(dataset)).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1]);
  });

  test('lie on the background, and area means four pixels', async () => {
    const large = await emojiDataset.load({ ...small, size: 64, background: [0, 0, 255] });
    const half = await emojiDataset.load({ ...small, background: [0, 0, 255] });
    const corner = (d: Dataset): number[] => [0, 1, 2].map((c) => d.item(11).image[c * d.imageShape[1] * d.imageShape[2]]!);
    expect(corner(large)).toEqual([0, 0, 255]);
    for (let i = 0; i < half.length; i++) {
      const from = large.item(i).image;
      const mean = (from[20 * 64 + 30]! + from[20 * 64 + 31]! + from[21 * 64 + 30]! + from[21 * 64 + 31]!) / 4;
      expect(half.item(i).image[10 * 32 + 15]).toBe(Math.round(mean));
    }
  });

  test('skin tones are a choice', async () => {
    const only = ['hand-fingers-closed'];
    expect((await emojiDataset.load({ onlySubcategories: only })).length).toBe(6);
    const all = await emojiDataset.load({ onlySubcategories: only, skinTones: 'include' });
    expect(all.length).toBe(36);
    expect(names(all).slice(0, 2)).toEqual(['thumbs up sign', 'thumbs up sign (1F3FB)']);
  });

  test('loading twice gives the same bytes', async () => {
    const [a, b] = [await emojiDataset.load(small), await emojiDataset.load(small)];
    for (let i = 0; i < a.length; i++) expect(a.item(i)).toEqual(b.item(i));
  });

  test('a category that does not exist is named, with those that do', async () => {
    await expect(emojiDataset.load({ excludeCategories: ['Animals'] })).rejects.toThrow(
      /excludeCategories names "Animals", which does not exist\. Known: Activities, Animals & Nature/,
    );
    await expect(emojiDataset.load({ onlySubcategories: ['dogs'] })).rejects.toThrow(/names "dogs"/);
  });

  test('a list that points outside its folder is refused', async () => {
    const row = {
      name: 'x',
      short_name: 'x',
      image: '../../secret.png',
      category: 'a',
      subcategory: 'b',
      sort_order: 1,
      has_img_google: true,
    };
    await writeFile(join(folder, 'emoji.json'), JSON.stringify([row]));
    await expect(emojiDataset.load({ folder })).rejects.toThrow(/0\.image/);
  });
});
