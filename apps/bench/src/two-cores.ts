import { Worker } from 'node:worker_threads';

/**
 * What a machine gives two threads that share nothing: sums in registers, on one thread and on two at once. Virtual cores give less than
 * twice one where others work on the same physical ones.
 */
export interface TwoCores {
  /** Takes one measurement. */
  readonly measure: () => void;
  /** How many times as much two threads did as one, from the medians of all measurements and from the least times. */
  readonly result: () => { readonly median: number; readonly best: number };
  readonly dispose: () => Promise<unknown>;
}

/** Indices of the words that both threads see. */
const [SERIAL, STARTED, DONE] = [0, 1, 2];

/** Some 25 ms of a core of 2025. */
const ROUNDS = 12_000_000;

/**
 * Sums that are independent of each other, so that they fill the units of a core. Needs nothing from outside: the worker gets its source.
 */
const work = (rounds: number): number => {
  let [a, b, c, d, e, f, g, h] = [1, 2, 3, 4, 5, 6, 7, 8] as [number, number, number, number, number, number, number, number];
  for (let i = 0; i < rounds; i++) {
    a = a * 0.999 + 0.5;
    b = b * 0.999 + 0.5;
    c = c * 0.999 + 0.5;
    d = d * 0.999 + 0.5;
    e = e * 0.999 + 0.5;
    f = f * 0.999 + 0.5;
    g = g * 0.999 + 0.5;
    h = h * 0.999 + 0.5;
  }
  return a + b + c + d + e + f + g + h;
};

const OTHER = `
const words = require('node:worker_threads').workerData;
const work = ${work.toString()};
for (let serial = 0; ; ) {
  Atomics.wait(words, ${SERIAL}, serial);
  serial = Atomics.load(words, ${SERIAL});
  Atomics.store(words, ${STARTED}, serial);
  // The result goes where the compiler cannot leave it out.
  globalThis.last = work(${ROUNDS});
  Atomics.store(words, ${DONE}, serial);
}`;

export async function twoCores(): Promise<TwoCores> {
  const words = new Int32Array(new SharedArrayBuffer(12));
  const other = new Worker(OTHER, { eval: true, workerData: words });
  await new Promise((resolve) => other.once('online', resolve));
  let serial = 0;
  let sum = 0;
  const [alone, both]: [number[], number[]] = [[], []];
  const measure = (): void => {
    const start = performance.now();
    sum += work(ROUNDS);
    alone.push(performance.now() - start);
    serial++;
    Atomics.store(words, SERIAL, serial);
    Atomics.notify(words, SERIAL);
    until(words, STARTED, serial);
    const together = performance.now();
    sum += work(ROUNDS);
    until(words, DONE, serial);
    both.push(performance.now() - together);
  };
  // Compiled before it counts, on both.
  measure();
  measure();
  alone.length = both.length = 0;
  return {
    measure,
    result: () => {
      if (!Number.isFinite(sum)) throw new Error('[bench/two-cores] the sums are not finite, so they were not what was meant to be timed.');
      return { median: (2 * at(alone, 0.5)) / at(both, 0.5), best: (2 * at(alone, 0)) / at(both, 0) };
    },
    dispose: () => other.terminate(),
  };
}

function until(words: Int32Array, index: number, value: number): void {
  while (Atomics.load(words, index) !== value);
}

function at(times: readonly number[], share: number): number {
  return [...times].sort((a, b) => a - b)[Math.floor(share * (times.length - 1))] ?? NaN;
}
