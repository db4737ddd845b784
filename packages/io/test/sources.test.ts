import {
  bucketed,
  cachedInMemory,
  chooseStream,
  defineSource,
  joinSources,
  mapSource,
  pickFromSource,
  prefetched,
  shuffled,
  splitSource,
} from '@langevin/io';
import type { Stream, StreamPosition } from '@langevin/io';
import { describe, expect, it } from 'vitest';

const START = { epoch: 0, index: 0 };
const numbers = (length: number) => defineSource({ name: 'numbers', length, load: (i) => i });

async function batches<Item>(stream: Stream<Item>, count: number, from: StreamPosition = START) {
  const result = [];
  let position = from;
  for (let i = 0; i < count; i += 1) {
    const batch = await stream.at(position);
    result.push(batch);
    position = batch.next;
  }
  return result;
}

describe('a shuffled stream', () => {
  it('gives each item once a pass, in another order each time', async () => {
    const all = (await batches(shuffled(numbers(10), { batchSize: 5, seed: 3 }), 4)).flatMap(({ items }) => items);
    for (const pass of [all.slice(0, 10), all.slice(10)]) expect([...pass].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(all.slice(0, 10)).not.toEqual(all.slice(10));
  });
  it('is a function of seed and position', async () => {
    const stream = () => shuffled(numbers(7), { batchSize: 3, seed: 3 });
    const whole = await batches(stream(), 9);
    const rest = await batches(stream(), 5, whole[3]!.next);
    expect(rest).toEqual(whole.slice(4));
    expect(await batches(shuffled(numbers(7), { batchSize: 3, seed: 4 }), 9)).not.toEqual(whole);
  });
  it('carries what does not fill a batch, or drops it', async () => {
    const carried = await batches(shuffled(numbers(5), { batchSize: 2, seed: 0 }), 5);
    expect(carried.flatMap(({ items }) => items).sort()).toEqual([0, 0, 1, 1, 2, 2, 3, 3, 4, 4]);
    expect(carried[2]!.epochs).toEqual([0, 1]);
    const dropped = await batches(shuffled(numbers(5), { batchSize: 2, seed: 0, remainder: 'drop' }), 3);
    expect(dropped.map(({ epochs }) => epochs)).toEqual([
      [0, 0],
      [0, 0],
      [1, 1],
    ]);
  });
  it('gives a batch that is larger than the source', async () => {
    const { items, next } = await shuffled(numbers(2), { batchSize: 5, seed: 1 }).at(START);
    expect(items).toHaveLength(5);
    expect(next).toEqual({ epoch: 2, index: 1 });
  });
  it('orders the first passes evenly: each place is equally likely for each item', async () => {
    const counts = new Array<number>(4).fill(0);
    for (let seed = 0; seed < 400; seed += 1) counts[(await shuffled(numbers(4), { batchSize: 1, seed }).at(START)).items[0]!]! += 1;
    // Binomial(400, 1/4): deviation 8.7; four of them are 35.
    counts.forEach((count) => expect(Math.abs(count - 100)).toBeLessThan(35));
  });
});

describe('a bucketed stream', () => {
  it('has items of one bucket in each batch, all of them in each pass, and resumes anywhere', async () => {
    const stream = () => bucketed(numbers(11), { batchSize: 4, seed: 2, bucketOf: (i) => (i < 6 ? 'wide' : 'tall') });
    const whole = await batches(stream(), 8);
    for (const { items } of whole) expect(new Set(items.map((i) => i < 6)).size).toBe(1);
    expect(new Set(whole.slice(0, 4).flatMap(({ items }) => items)).size).toBe(11);
    expect(whole[3]!.next).toEqual({ epoch: 1, index: 0 });
    expect(await batches(stream(), 4, whole[3]!.next)).toEqual(whole.slice(4));
  });
});

describe('a prefetched stream', () => {
  it('is the same stream, and begins the next batch before it is asked for', async () => {
    const begun: number[] = [];
    const source = defineSource({ name: 'seen', length: 6, load: (i) => (begun.push(i), i) });
    const plain = await batches(shuffled(numbers(6), { batchSize: 2, seed: 9 }), 6);
    const stream = prefetched(shuffled(source, { batchSize: 2, seed: 9 }), 2);
    const first = await stream.at(START);
    await new Promise((resolve) => setImmediate(resolve));
    expect(begun).toHaveLength(6);
    expect([first, ...(await batches(stream, 5, first.next))]).toEqual(plain);
    expect(begun.length).toBeLessThanOrEqual(16);
  });
  it('tells a failure to who asks for the batch, and to nobody else', async () => {
    const source = defineSource({ name: 'broken', length: 4, load: (i) => (i === 1 ? Promise.reject(new Error('unreadable')) : i) });
    const stream = prefetched(shuffled(source, { batchSize: 1, seed: 0 }));
    const outcomes: string[] = [];
    let position: StreamPosition = START;
    for (let i = 0; i < 4; i += 1) {
      try {
        position = (await stream.at(position)).next;
        outcomes.push('read');
      } catch (error) {
        outcomes.push((error as Error).message);
        position = { epoch: 0, index: position.index + 1 };
      }
    }
    expect(outcomes.sort()).toEqual(['read', 'read', 'read', 'unreadable']);
  });
});

describe('a split', () => {
  const options = { shares: { train: 0.7, test: 0.3 }, seed: 5, groupOf: (i: number) => `group ${i % 40}` };
  const itemsOf = async (source: ReturnType<typeof numbers>): Promise<number[]> =>
    Promise.all(Array.from({ length: source.length }, (_, i) => source.load(i)));

  it('keeps groups together and loses nothing', async () => {
    const { train, test } = splitSource(numbers(400), options);
    const [a, b] = [await itemsOf(train), await itemsOf(test)];
    expect([...a, ...b].sort((x, y) => x - y)).toEqual(Array.from({ length: 400 }, (_, i) => i));
    const groups = new Set(a.map((i) => i % 40));
    expect(b.every((i) => !groups.has(i % 40))).toBe(true);
    // Binomial(40, 0.3): 12 expected, deviation 2.9.
    expect(Math.abs(b.length / 10 - 12)).toBeLessThan(12);
  });
  it('does not move old items when new ones are added', async () => {
    const before = await itemsOf(splitSource(numbers(300), options).test);
    const after = await itemsOf(splitSource(numbers(500), options).test);
    expect(after.filter((i) => i < 300)).toEqual(before);
  });
  it('refuses shares that do not sum to 1, and parts without items', () => {
    expect(() => splitSource(numbers(9), { shares: { a: 0.5, b: 0.6 }, seed: 0 })).toThrow('shares do not sum to 1');
    expect(() => splitSource(numbers(3), { shares: { a: 1, b: 0 }, seed: 0 })).toThrow('part=b');
  });
});

describe('sources', () => {
  it('are mapped, picked from and joined', async () => {
    const doubled = mapSource(numbers(4), (value) => 2 * value);
    const joined = joinSources('both', [pickFromSource(doubled, [3, 0]), numbers(2)]);
    expect(await Promise.all([0, 1, 2, 3].map((i) => joined.load(i)))).toEqual([6, 0, 0, 1]);
    expect(joined.itemName(0)).toBe('numbers 3');
  });
  it('refuse numbers that are no items', async () => {
    await expect(numbers(3).load(3)).rejects.toThrow('item=3, numbers has 3');
    await expect(numbers(3).load(0.5)).rejects.toThrow('item=0.5');
    expect(() => pickFromSource(numbers(3), [5])).toThrow('item=5');
    expect(() => numbers(0)).toThrow('length=0');
    expect(() => joinSources('none', [])).toThrow('length=0');
    expect(() => shuffled(numbers(3), { batchSize: 0, seed: 0 })).toThrow('batchSize=0');
    expect(() => shuffled(numbers(3), { batchSize: 4, seed: 0, remainder: 'drop' })).toThrow('batchSize=4');
    await expect(shuffled(numbers(3), { batchSize: 1, seed: 0 }).at({ epoch: 0, index: 3 })).rejects.toThrow('saved with other data');
  });
  it('are kept in memory up to a bound, and loaded once by all who ask at once', async () => {
    let loads = 0;
    const source = defineSource({ name: 'slow', length: 4, load: async (i) => (await Promise.resolve(), (loads += 1), i) });
    const cached = cachedInMemory(source, { maxBytes: 20, bytesOf: () => 10 });
    await Promise.all([cached.load(0), cached.load(0), cached.load(1)]);
    expect(loads).toBe(2);
    await cached.load(2); // 0 goes
    await cached.load(1);
    expect(loads).toBe(3);
    await cached.load(0);
    expect(loads).toBe(4);
  });
  it('try again what could not be loaded', async () => {
    let broken = true;
    const source = defineSource({ name: 'flaky', length: 1, load: () => (broken ? Promise.reject(new Error('not yet')) : 1) });
    const cached = cachedInMemory(source, { bytesOf: () => 1 });
    await expect(cached.load(0)).rejects.toThrow('not yet');
    broken = false;
    expect(await cached.load(0)).toBe(1);
  });
  it('are chosen by weight, as a function of seed and step', () => {
    const pick = (step: number) => chooseStream({ image: 1, video: 1 }, { seed: 8, step });
    expect([0, 1, 2, 3, 4, 5].map(pick)).toEqual([0, 1, 2, 3, 4, 5].map(pick));
    expect(() => chooseStream({ image: 0 }, { seed: 0, step: 0 })).toThrow('image=0');
  });
});
