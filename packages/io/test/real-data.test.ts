import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { DataSource, PictureItem } from '@langevin/io';
import { cifar10Data, mnistData } from '@langevin/io/node';
import { describe, expect, test } from 'vitest';

// Official downloads, never part of the repository: LANGEVIN_DATA, or the folder shared/data beside the checkout.
const DATA = process.env['LANGEVIN_DATA'] ?? join(import.meta.dirname, '../../../../shared/data');
const missing = ['cifar10', 'mnist'].filter((name) => !existsSync(join(DATA, name)));
if (missing.length > 0) console.warn(`Skipped: no ${missing.join(', ')} in ${DATA}. Set LANGEVIN_DATA to a folder that has them.`);

const none = { folders: {} };

function histogram(source: DataSource<PictureItem>): number[] {
  const counts = Array<number>(10).fill(0);
  for (let i = 0; i < source.length; i++) counts[Number(source.about(i).attributes['label'])]!++;
  return counts;
}

describe.skipIf(missing.includes('cifar10'))('CIFAR-10', () => {
  test('has 10,000 test images, 1,000 of each class', async () => {
    expect(histogram(await cifar10Data.open({ folder: join(DATA, 'cifar10'), split: 'test' }, none))).toEqual(Array(10).fill(1000));
  });

  test('has the published channel means of its training images, to within the sampling error', async () => {
    const source = await cifar10Data.open({ folder: join(DATA, 'cifar10') }, none);
    const sums = [0, 0, 0];
    for (let i = 0; i < 2000; i++) {
      for (const [at, value] of (await source.load(i)).image.data.entries()) sums[at % 3]! += value;
    }
    // 0.4914, 0.4822, 0.4465 over 50,000; an image's mean deviates by about 0.12, so 2,000 of them by 0.003: four of those.
    for (const [c, mean] of [0.4914, 0.4822, 0.4465].entries()) expect(Math.abs(sums[c]! / (2000 * 1024 * 255) - mean)).toBeLessThan(0.012);
  });
});

describe.skipIf(missing.includes('mnist'))('MNIST', () => {
  test('has its 10,000 test digits, beginning 7 2 1 0 4', async () => {
    const source = await mnistData.open({ folder: join(DATA, 'mnist'), split: 'test' }, none);
    const { width, height, channels } = (await source.load(0)).image;
    expect([source.length, channels, height, width]).toEqual([10_000, 1, 28, 28]);
    expect([0, 1, 2, 3, 4].map((i) => source.about(i).attributes['label'])).toEqual(['7', '2', '1', '0', '4']);
    // The counts of the official test set.
    expect(histogram(source)).toEqual([980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);
  });
});
