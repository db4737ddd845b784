import { checkChoice, checkNumber, readOptions, UserError } from '@langevin/tensor';
import { checkFunctions, checkObject, checkSource } from '../given.ts';
import { hash32, permutation, wordsOf } from './hash.ts';
import type { Source } from './source.ts';

/** Where a stream stands: everything before `index` in the shuffled order of `epoch` has been given out. */
export interface StreamPosition {
  readonly epoch: number;
  readonly index: number;
}

/** Items that belong together in one step. */
export interface StreamBatch<Item> {
  readonly items: readonly Item[];
  /** Their numbers in the source. */
  readonly numbers: readonly number[];
  /** In which pass each was drawn: with its number it decides what is random about the item. */
  readonly epochs: readonly number[];
  /** Where to go on, exactly as if nothing had happened. */
  readonly next: StreamPosition;
}

/** Batches for ever: each is a function of its position. */
export interface Stream<Item> {
  readonly name: string;
  /** Items of one pass. */
  readonly length: number;
  readonly at: (position: StreamPosition) => Promise<StreamBatch<Item>>;
}

export interface ShuffleOptions {
  /** Items of a batch, >= 1. */
  readonly batchSize: number;
  /** Decides the order of every pass; 0 or a positive safe integer. */
  readonly seed: number;
  /**
   * What becomes of fewer items than a batch at the end of a pass: `carry` fills the batch up from the next pass, so that every batch has
   * one shape and every item is seen once a pass; `drop` leaves them out. @default 'carry'
   */
  readonly remainder?: 'carry' | 'drop';
}

const [ORDER, BATCHES] = [1, 4];

/**
 * Shuffled batches, in an order that depends on the seed alone: each pass is a permutation of its own.
 *
 * @throws UserError when an option is out of range; from `at`, for a position that was saved with other data
 * @example
 * import { defineSource, shuffled } from '@langevin/io';
 * const stream = shuffled(defineSource({ name: 'numbers', length: 3, load: (i) => i }), { batchSize: 2, seed: 7 });
 * const first = await stream.at({ epoch: 0, index: 0 });
 * const second = await stream.at(first.next);
 * [first.items.length, second.items.length, second.next]; // => [2, 2, { epoch: 1, index: 1 }]
 */
export function shuffled<Item>(source: Source<Item>, options: ShuffleOptions): Stream<Item> {
  const { batchSize, seed, remainder = 'carry' } = readOptions('io/stream', options);
  checkChoice('io/stream', { remainder }, ['carry', 'drop']);
  checkShuffle(source, { batchSize, seed });
  if (remainder === 'drop' && batchSize > source.length) {
    throw new UserError(
      `[io/stream] a batch is larger than the source: batchSize=${batchSize}, ${source.name} has ${source.length}. Make it `
        + 'smaller, or carry.',
    );
  }
  const orderOf = remembered((epoch) => permutation(source.length, ORDER, ...wordsOf(seed), ...wordsOf(epoch)));
  return Object.freeze({
    name: source.name,
    length: source.length,
    at: async (position: StreamPosition) => {
      checkPosition(position, { name: source.name, length: source.length });
      let { epoch, index } = position;
      if (remainder === 'drop' && source.length - index < batchSize) ({ epoch, index } = { epoch: epoch + 1, index: 0 });
      const picked: { readonly number: number; readonly epoch: number }[] = [];
      while (picked.length < batchSize) {
        picked.push({ number: orderOf(epoch)[index]!, epoch });
        index += 1;
        if (index === source.length) ({ epoch, index } = { epoch: epoch + 1, index: 0 });
      }
      return batchOf(source, picked, { epoch, index });
    },
  });
}

export interface BucketOptions extends Omit<ShuffleOptions, 'remainder'> {
  /** Items of one bucket fit into one batch: their size, or number of frames. */
  readonly bucketOf: (i: number) => string;
}

/**
 * Batches of items of one kind each (pictures of one size, clips of one length), in a shuffled order of batches. What does not fill a batch
 * in its bucket is completed with other items of that bucket, so that each is seen at least once a pass; positions count batches.
 *
 * @throws UserError when an option is out of range; from `at`, for a position that was saved with other data
 */
export function bucketed<Item>(source: Source<Item>, options: BucketOptions): Stream<Item> {
  const { batchSize, seed, bucketOf } = readOptions('io/stream', options);
  checkShuffle(source, { batchSize, seed });
  checkFunctions({ bucketOf }, '[io/stream]');
  const buckets = new Map<string, number[]>();
  for (let i = 0; i < source.length; i += 1) {
    const key = bucketOf(i);
    const bucket = buckets.get(key);
    if (bucket === undefined) buckets.set(key, [i]);
    else bucket.push(i);
  }
  const lists = [...buckets.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, list]) => list);
  const count = lists.reduce((sum, list) => sum + Math.ceil(list.length / batchSize), 0);
  const passOf = remembered((epoch) => {
    const batches = lists.flatMap((list, b) => {
      const order = permutation(list.length, ORDER, ...wordsOf(seed), ...wordsOf(epoch), b);
      return Array.from({ length: Math.ceil(list.length / batchSize) }, (_, k) =>
        Array.from({ length: batchSize }, (__, j) => list[order[(k * batchSize + j) % list.length]!]!),
      );
    });
    return Array.from(permutation(batches.length, BATCHES, ...wordsOf(seed), ...wordsOf(epoch)), (k) => batches[k]!);
  });
  return Object.freeze({
    name: source.name,
    length: source.length,
    at: async (position: StreamPosition) => {
      checkPosition(position, { name: source.name, length: count });
      const { epoch, index } = position;
      const next = index + 1 === count ? { epoch: epoch + 1, index: 0 } : { epoch, index: index + 1 };
      return batchOf(
        source,
        passOf(epoch)[index]!.map((number) => ({ number, epoch })),
        next,
      );
    },
  });
}

/**
 * The same stream, whose next batch is loaded while the step on this one runs. A batch that is asked for out of order is loaded then.
 *
 * @param ahead how many batches are loaded in advance, >= 1. @default 1
 */
export function prefetched<Item>(stream: Stream<Item>, ahead = 1): Stream<Item> {
  checkSource(stream, '[io/stream]', ['at']);
  checkNumber('io/stream', { ahead }, { atLeast: 1, atMost: 64, kind: 'integer' });
  const loading = new Map<string, Promise<StreamBatch<Item>>>();
  const keyOf = ({ epoch, index }: StreamPosition): string => `${epoch}/${index}`;
  const begin = (position: StreamPosition): Promise<StreamBatch<Item>> => {
    const key = keyOf(position);
    const known = loading.get(key);
    if (known !== undefined) return known;
    const batch = stream.at(position);
    // A failure is heard by whoever asks for the batch; until then it is nobody's.
    batch.catch(() => undefined);
    loading.set(key, batch);
    return batch;
  };
  const follow = async (batch: Promise<StreamBatch<Item>>, left: number): Promise<void> => {
    if (left === 0) return;
    const { next } = await batch;
    await follow(begin(next), left - 1);
  };
  return Object.freeze({
    name: stream.name,
    length: stream.length,
    at: async (position: StreamPosition) => {
      const batch = begin(position);
      const result = await batch.finally(() => loading.delete(keyOf(position)));
      if (loading.size > ahead) loading.clear();
      follow(Promise.resolve(result), ahead).catch(() => undefined);
      return result;
    },
  });
}

/**
 * Which of several streams a step draws from, so that a run over mixed data (pictures and clips, say) is still a function of its seed.
 *
 * @param weights > 0, need not sum to 1
 * @example
 * import { chooseStream } from '@langevin/io';
 * const steps = Array.from({ length: 1000 }, (_, step) => chooseStream({ image: 3, video: 1 }, { seed: 0, step }));
 * Math.abs(steps.filter((name) => name === 'image').length - 750) < 50; // => true
 */
export function chooseStream<Name extends string>(
  weights: Readonly<Record<Name, number>>,
  options: { readonly seed: number; readonly step: number },
): Name {
  const { seed, step } = readOptions('io/stream', options);
  checkObject(weights, 'record of weights', '[io/stream]');
  checkNumber('io/stream', weights, { above: 0 });
  checkNumber('io/stream', { seed, step }, { atLeast: 0, kind: 'integer' });
  const names = Object.keys(weights) as Name[];
  if (names.length === 0) throw new UserError('[io/stream] there is no stream to choose from: weights={}. Give at least one.');
  const total = names.reduce((sum, name) => sum + weights[name], 0);
  let place = ((hash32(5, ...wordsOf(seed), ...wordsOf(step)) + 0.5) / 2 ** 32) * total;
  for (const name of names) {
    place -= weights[name];
    if (place < 0) return name;
  }
  return names.at(-1)!;
}

async function batchOf<Item>(
  source: Source<Item>,
  picked: readonly { readonly number: number; readonly epoch: number }[],
  next: StreamPosition,
): Promise<StreamBatch<Item>> {
  return Object.freeze({
    items: await Promise.all(picked.map(({ number }) => source.load(number))),
    numbers: picked.map(({ number }) => number),
    epochs: picked.map(({ epoch }) => epoch),
    next: Object.freeze(next),
  });
}

function checkShuffle(source: Source<unknown>, { batchSize, seed }: Pick<ShuffleOptions, 'batchSize' | 'seed'>): void {
  checkSource(source, '[io/stream]');
  const { name, length } = source;
  checkNumber('io/stream', { batchSize }, { atLeast: 1, atMost: 1e6, kind: 'integer' });
  checkNumber('io/stream', { seed }, { atLeast: 0, kind: 'integer' });
  if (length > 2 ** 31 - 1) throw new UserError(`[io/stream] source is too long to shuffle: ${name} has ${length}. Use several sources.`);
}

function checkPosition(position: StreamPosition, { name, length }: { readonly name: string; readonly length: number }): void {
  const { epoch, index } = readOptions('io/stream', position);
  checkNumber('io/stream', { epoch, index }, { atLeast: 0, kind: 'integer' });
  if (index < length) return;
  throw new UserError(
    `[io/stream] position is past the end of a pass: index=${index}, ${name} has ${length}. It was saved with other data.`,
  );
}

/** The orders of this pass and the one before it are all that is ever needed. */
function remembered<Order>(make: (epoch: number) => Order): (epoch: number) => Order {
  const known = new Map<number, Order>();
  return (epoch) => {
    const found = known.get(epoch);
    if (found !== undefined) return found;
    const order = make(epoch);
    if (known.size >= 2) known.delete(Math.min(...known.keys()));
    known.set(epoch, order);
    return order;
  };
}
