import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Dataset } from '@langevin/io';
import { cifar10Dataset, idxDataset } from '@langevin/io/node';
import { describe, expect, test } from 'vitest';

// Official downloads, never part of the repository: LANGEVIN_DATA, or the folder shared/data beside the checkout.
const DATA = process.env['LANGEVIN_DATA'] ?? join(import.meta.dirname, '../../../../shared/data');
const missing = ['cifar10', 'mnist'].filter((name) => !existsSync(join(DATA, name)));
if (missing.length > 0) console.warn(`Skipped: no ${missing.join(', ')} in ${DATA}. Set LANGEVIN_DATA to a folder that has them.`);

function histogram(dataset: Dataset): number[] {
  const counts = dataset.classes!.map(() => 0);
  for (let i = 0; i < dataset.length; i++) counts[dataset.item(i).label]!++;
  return counts;
}

describe.skipIf(missing.includes('cifar10'))('CIFAR-10', () => {
  test('has 10,000 test images, 1,000 of each class', async () => {
    const dataset = await cifar10Dataset.load({ folder: join(DATA, 'cifar10'), split: 'test' });
    expect(histogram(dataset)).toEqual(Array(10).fill(1000));
  });

  test('has the published channel means of its training images, to within the sampling error', async () => {
    const dataset = await cifar10Dataset.load({ folder: join(DATA, 'cifar10') });
    const sums = [0, 0, 0];
    for (let i = 0; i < 2000; i++) {
      for (const [at, value] of dataset.item(i).image.entries()) sums[Math.floor(at / 1024)]! += value;
    }
    // 0.4914, 0.4822, 0.4465 over 50,000; an image's mean deviates by about 0.12, so 2,000 of them by 0.003: four of those.
    for (const [c, mean] of [0.4914, 0.4822, 0.4465].entries()) expect(Math.abs(sums[c]! / (2000 * 1024 * 255) - mean)).toBeLessThan(0.012);
  });
});

describe.skipIf(missing.includes('mnist'))('MNIST', () => {
  test('has its 10,000 test digits, beginning 7 2 1 0 4', async () => {
    const at = (name: string): string => join(DATA, 'mnist', name);
    const dataset = await idxDataset.load({ images: at('t10k-images-idx3-ubyte.gz'), labels: at('t10k-labels-idx1-ubyte.gz') });
    expect([dataset.length, dataset.imageShape]).toEqual([10_000, [1, 28, 28]]);
    expect([0, 1, 2, 3, 4].map((i) => dataset.item(i).label)).toEqual([7, 2, 1, 0, 4]);
    // The counts of the official test set.
    expect(histogram(dataset)).toEqual([980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);
  });
});
