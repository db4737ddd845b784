import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Dataset } from '@langevin/io';
import { memoryDataset } from '@langevin/io';
import { loadDataset, writeImage } from '@langevin/io/node';
import { checkDataset } from '@langevin/io/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'langevin-io-'));
  await writeFile(
    join(folder, 'data_batch_1.bin'),
    Uint8Array.from({ length: 2 * 3073 }, (_, i) => (i * 7) % 10),
  );
  await writeFile(join(folder, 'images.idx'), Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 5, 6, 7, 8));
  for (const name of ['a.png', 'b.webp'])
    await writeImage(join(folder, name), { width: 3, height: 2, channels: 3, data: new Uint8Array(18).fill(9) });
});
afterAll(() => rm(folder, { recursive: true }));

describe('every data set keeps the contract', () => {
  test.each([
    ['cifar10', () => ({ folder })],
    ['emoji', () => ({ onlySubcategories: ['flag', 'cat-face'] })],
    ['idx', () => ({ images: join(folder, 'images.idx') })],
    ['image-folder', () => ({ folder, size: 4 })],
  ])('%s', async (name, options) => {
    await checkDataset(() => loadDataset({ name, ...options() }));
  });
});

describe('the kit notices', () => {
  const honest = memoryDataset({ name: 'x', imageShape: [1, 1, 2], images: Uint8Array.of(1, 2, 3, 4) });
  let calls = 0;
  test.each<[string, () => Dataset, RegExp]>([
    [
      'a label without class',
      () => ({ ...honest, item: (i: number) => ({ ...honest.item(i), label: 1 }) }),
      /label=1 must be an integer from 0 to 0/,
    ],
    [
      'a short image',
      () => ({ ...honest, item: (i: number) => ({ image: new Uint8Array(1), label: honest.item(i).label }) }),
      /Uint8Array of 2 bytes/,
    ],
    [
      'another image at the second load',
      () => ({ ...honest, item: ((k) => () => ({ image: Uint8Array.of(k, k), label: 0 }))(calls++) }),
      /same after loading again/,
    ],
    ['an item past the end', () => ({ ...honest, item: () => honest.item(0) }), /item\(-1\) must throw/],
    ['no length', () => ({ ...honest, length: 0 }), /length=0/],
  ])('%s', async (_, make, message) => {
    await expect(checkDataset(() => Promise.resolve(make()))).rejects.toThrow(message);
  });
});
