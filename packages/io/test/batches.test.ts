import type { Batch, BatchPosition } from '@langevin/io';
import { batches, memoryDataset } from '@langevin/io';
import { UserError } from '@langevin/tensor';
import { describe, expect, test } from 'vitest';

/** 10 images of 1x2 pixels, [i, 100 + i], labelled by their parity. */
const dataset = memoryDataset({
  name: 'ten',
  imageShape: [1, 1, 2],
  images: Uint8Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? i / 2 : 100 + (i - 1) / 2)),
  labels: Int32Array.from({ length: 10 }, (_, i) => i % 2),
  classes: ['even', 'odd'],
});

function take(count: number, iterable: Iterable<Batch>): Batch[] {
  const out: Batch[] = [];
  if (count === 0) return out;
  for (const batch of iterable) {
    out.push(batch);
    if (out.length === count) break;
  }
  return out;
}

const indices = (list: readonly Batch[]): number[] => list.flatMap((batch) => [...batch.indices]);

describe('order', () => {
  test('every item comes once an epoch, in another order each epoch and for each seed', () => {
    const epochs = [0, 1, 2].map((epoch) => indices(take(5, batches(dataset, { batchSize: 2, seed: 3, position: { epoch, index: 0 } }))));
    for (const order of epochs) expect([...order].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(new Set(epochs.map(String)).size).toBe(3);
    expect(indices(take(5, batches(dataset, { batchSize: 2, seed: 4 })))).not.toEqual(epochs[0]);
    expect(indices(take(5, batches(dataset, { batchSize: 2, seed: 3 + 2 ** 32 })))).not.toEqual(epochs[0]);
  });

  test('is pinned, so that an old checkpoint resumes with the data it would have seen', () => {
    expect(indices(take(5, batches(dataset, { batchSize: 2, seed: 0 })))).toMatchInlineSnapshot(`
      [
        9,
        5,
        7,
        8,
        6,
        4,
        1,
        0,
        3,
        2,
      ]
    `);
  });

  test('each item comes first equally often: chi-squared over 20,000 epochs', () => {
    const counts = new Float64Array(10);
    for (let epoch = 0; epoch < 20_000; epoch++) {
      const [batch] = take(1, batches(dataset, { batchSize: 1, seed: 7, position: { epoch, index: 0 } }));
      counts[batch!.indices[0]!]!++;
    }
    const chiSquared = counts.reduce((sum, count) => sum + (count - 2000) ** 2 / 2000, 0);
    // 9 degrees of freedom: 27.9 is exceeded with probability 0.001.
    expect(chiSquared).toBeLessThan(27.9);
  });
});

describe('contents', () => {
  test('images are in [-1, 1], with labels and indices of the same items', () => {
    for (const { images, shape, labels, indices: items } of take(5, batches(dataset, { batchSize: 2, seed: 1 }))) {
      expect(shape).toEqual([2, 1, 1, 2]);
      for (const [i, item] of items.entries()) {
        expect(labels[i]).toBe(item % 2);
        expect([...images.subarray(2 * i, 2 * i + 2)]).toEqual([...Float32Array.of(item / 127.5 - 1, (100 + item) / 127.5 - 1)]);
      }
    }
  });

  test('flips mirror about half of the items, decided by seed, epoch and item alone', () => {
    const flipped = (batchSize: number, count: number): Map<string, boolean> => {
      const seen = new Map<string, boolean>();
      let position: BatchPosition = { epoch: 0, index: 0 };
      for (const batch of take(count, batches(dataset, { batchSize, seed: 5, flip: 'horizontal', remainder: 'keep' }))) {
        for (const [i, item] of batch.indices.entries())
          seen.set(`${position.epoch}/${item}`, batch.images[2 * i]! > batch.images[2 * i + 1]!);
        position = batch.next;
      }
      return seen;
    };
    const one = flipped(1, 2000);
    expect(flipped(4, 600)).toEqual(one); // 200 epochs: 2000 batches of 1, or 600 of 4, 4 and 2
    const count = [...one.values()].filter(Boolean).length;
    // Binomial(2000, 1/2) has deviation 22.4; four of them.
    expect(Math.abs(count - 1000)).toBeLessThan(90);
  });
});

describe('resuming', () => {
  test.each(['carry', 'drop', 'keep'] as const)('from any batch goes on exactly (%s)', (remainder) => {
    const options = { batchSize: 3, seed: 11, flip: 'horizontal', remainder } as const;
    const whole = take(12, batches(dataset, options));
    for (let stop = 1; stop < 12; stop++) {
      const position = JSON.parse(JSON.stringify(whole[stop - 1]!.next)) as BatchPosition;
      expect(take(12 - stop, batches(dataset, { ...options, position }))).toEqual(whole.slice(stop));
    }
  });
});

describe('the end of an epoch', () => {
  const sizes = (remainder: 'carry' | 'drop' | 'keep'): number[] =>
    take(20, batches(dataset, { batchSize: 4, seed: 1, remainder, epochs: 2 })).map(({ labels }) => labels.length);

  test('drop leaves the rest out, keep gives a smaller batch, carry fills up from the next epoch', () => {
    expect(sizes('drop')).toEqual([4, 4, 4, 4]);
    expect(sizes('keep')).toEqual([4, 4, 2, 4, 4, 2]);
    expect(sizes('carry')).toEqual([4, 4, 4, 4, 4]);
  });

  test('carry gives every item twice in two epochs', () => {
    const all = indices(take(20, batches(dataset, { batchSize: 4, seed: 1, epochs: 2 })));
    expect(all.sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => Math.floor(i / 2)));
  });

  test('a batch may be larger than the data', () => {
    expect(take(1, batches(dataset, { batchSize: 25, seed: 1 }))[0]!.labels.length).toBe(25);
  });
});

test.each([
  ['batchSize', { batchSize: 0, seed: 1 }, /batchSize=0/],
  ['seed', { batchSize: 1, seed: -1 }, /seed=-1/],
  ['fractional seed', { batchSize: 1, seed: 0.5 }, /seed=0\.5/],
  ['position', { batchSize: 1, seed: 1, position: { epoch: 0, index: 10 } }, /position\.index=10 is past the end of ten: length=10/],
  ['drop', { batchSize: 11, seed: 1, remainder: 'drop' as const }, /batchSize=11 is larger than ten/],
])('a wrong %s is refused at the call', (_, options, message) => {
  expect(() => batches(dataset, options)).toThrow(UserError);
  expect(() => batches(dataset, options)).toThrow(message);
});
