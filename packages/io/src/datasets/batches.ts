import { checkNumber, readOptions, shownValue, UserError } from '@langevin/tensor';
import { bytesToUnit } from '../images/convert.ts';
import type { Dataset } from './dataset.ts';
import { hash32, permutation, wordsOf } from './hash.ts';

/** Where an iteration stands: everything before `index` in the shuffled order of `epoch` has been given out. */
export interface BatchPosition {
  readonly epoch: number;
  readonly index: number;
}

export interface BatchOptions {
  readonly batchSize: number;
  /** Decides the order of every epoch and every flip; an integer from 0 to 2^53-1. */
  readonly seed: number;
  /** Go on from here; a position saved with a checkpoint. @default the beginning */
  readonly position?: BatchPosition;
  /** Mirror half of the images, decided anew for each item in each epoch. @default 'none' */
  readonly flip?: 'none' | 'horizontal';
  /**
   * What to do with fewer items than a batch at the end of an epoch: 'drop' them, 'keep' them as a smaller batch, or
   * 'carry' them into the next epoch's first batch. @default 'carry', so that every batch has one shape (one compiled
   * graph) and every item is seen once an epoch
   */
  readonly remainder?: 'carry' | 'drop' | 'keep';
  /** Stop before this epoch. @default none: iterate for ever */
  readonly epochs?: number;
}

/** Images ready for a network. */
export interface Batch {
  /** float32 [N, C, H, W] in [-1, 1] */
  readonly images: Float32Array;
  readonly shape: readonly [batch: number, channels: number, height: number, width: number];
  /** int32 [N] */
  readonly labels: Int32Array;
  /** int32 [N]: which items these are. */
  readonly indices: Int32Array;
  /** Pass this as `position` to go on after this batch, exactly as if nothing had happened. */
  readonly next: BatchPosition;
}

/**
 * Shuffled batches in an order that depends on nothing but `seed`: epoch e is the permutation by Fisher-Yates of
 * hash32(seed, e). Iteration can stop anywhere and go on from the `next` of the last batch.
 *
 * @throws {UserError} when an option is out of range, or 'drop' would leave no batch
 * @example
 * import { batches, memoryDataset } from '@langevin/io';
 * const dataset = memoryDataset({ name: 'two', imageShape: [1, 1, 1], images: Uint8Array.of(0, 255) });
 * const [first] = batches(dataset, { batchSize: 2, seed: 1, epochs: 1 });
 * [...first.images].sort(); // => [-1, 1]
 */
export function batches(dataset: Dataset, options: BatchOptions): Iterable<Batch> {
  const { batchSize, seed, position = { epoch: 0, index: 0 }, remainder = 'carry', epochs = Infinity } = readOptions('io/batches', options);
  if (typeof dataset !== 'object' || dataset === null || typeof dataset.item !== 'function')
    throw new UserError(
      `[io/batches] there is no data set: dataset=${shownValue(dataset)}. Pass what loadDataset() or memoryDataset() gives.`,
    );
  const { epoch, index } = readOptions('io/batches', position);
  checkNumber('io/batches', { batchSize }, { kind: 'integer', atLeast: 1 });
  checkNumber('io/batches', { seed, 'position.epoch': epoch, 'position.index': index }, { kind: 'integer', atLeast: 0 });
  checkNumber('io/batches', { epochs }, { kind: 'integer', atLeast: 0, infinity: 'allowed' });
  if (position.index >= dataset.length) {
    throw new UserError(
      `[io/batches] position.index=${position.index} is past the end of ${dataset.name}: length=${dataset.length}. It was saved `
        + 'with other data.',
    );
  }
  if (remainder === 'drop' && batchSize > dataset.length) {
    throw new UserError(
      `[io/batches] batchSize=${batchSize} is larger than ${dataset.name}: length=${dataset.length}, and remainder=drop leaves `
        + 'nothing. Use a smaller batch.',
    );
  }
  return { [Symbol.iterator]: () => iterate(dataset, { ...options, position, remainder, epochs }) };
}

type Resolved = BatchOptions & Required<Pick<BatchOptions, 'position' | 'remainder' | 'epochs'>>;

function* iterate(dataset: Dataset, options: Resolved): Generator<Batch, void> {
  const { batchSize, seed, remainder, epochs } = options;
  let { epoch, index } = options.position;
  let order = orderOf(dataset, seed, epoch);
  const advance = (by: number): void => {
    index += by;
    if (index < order.length) return;
    epoch += 1;
    index = 0;
    order = orderOf(dataset, seed, epoch);
  };
  while (epoch < epochs) {
    const left = order.length - index;
    if (left < batchSize && remainder === 'drop') {
      advance(left);
      continue;
    }
    const picks: Choice[] = [];
    while (picks.length < batchSize && epoch < epochs) {
      const startEpoch = epoch;
      picks.push({ item: order[index]!, epoch });
      advance(1);
      if (remainder !== 'carry' && epoch !== startEpoch) break;
    }
    yield assemble(dataset, picks, { ...options, next: { epoch, index } });
  }
}

interface Choice {
  readonly item: number;
  readonly epoch: number;
}

function orderOf(dataset: Dataset, seed: number, epoch: number): Int32Array {
  return permutation(dataset.length, ORDER, ...wordsOf(seed), ...wordsOf(epoch));
}

// Different uses of one seed get different streams.
const ORDER = 1;
const FLIP = 2;

function assemble(dataset: Dataset, picks: readonly Choice[], options: Resolved & { readonly next: BatchPosition }): Batch {
  const [channels, height, width] = dataset.imageShape;
  const size = channels * height * width;
  const images = new Float32Array(picks.length * size);
  const labels = new Int32Array(picks.length);
  for (const [i, { item, epoch }] of picks.entries()) {
    const { image, label } = dataset.item(item);
    const out = images.subarray(i * size, (i + 1) * size);
    bytesToUnit(image, out);
    labels[i] = label;
    const flips = options.flip === 'horizontal' && (hash32(FLIP, ...wordsOf(options.seed), ...wordsOf(epoch), item) & 1) === 1;
    if (flips) for (let row = 0; row < size; row += width) out.subarray(row, row + width).reverse();
  }
  const indices = Int32Array.from(picks, ({ item }) => item);
  return { images, shape: [picks.length, channels, height, width], labels, indices, next: options.next };
}
