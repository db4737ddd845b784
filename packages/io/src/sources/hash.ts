/**
 * Mix words into 32 well-spread bits: the finaliser of MurmurHash3 over each word in turn, in the counter form of
 * SplitMix (the golden-ratio constant keeps zeros from staying zero). It is deliberately not the generator of
 * noise: data order must not change when that is swapped.
 */
export function hash32(...words: readonly number[]): number {
  let h = 0x9e3779b9;
  for (const word of words) {
    h = (h ^ word) + 0x9e3779b9;
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    h = (h ^ (h >>> 16)) >>> 0;
  }
  return h;
}

/** A uniform integer from 0 to bound - 1, bound <= 2^32, decided by the words alone: unbiased, by rejection. */
export function hashBelow(bound: number, ...words: readonly number[]): number {
  const limit = 2 ** 32 - (2 ** 32 % bound);
  for (let attempt = 0; ; attempt++) {
    const value = hash32(...words, attempt);
    if (value < limit) return value % bound;
  }
}

/** Two 32-bit words that hold a safe integer exactly. */
export function wordsOf(value: number): [number, number] {
  return [value >>> 0, Math.floor(value / 2 ** 32) >>> 0];
}

/** A permutation of 0..length-1 by Fisher-Yates, decided by the words alone. */
export function permutation(length: number, ...words: readonly number[]): Int32Array {
  const order = Int32Array.from({ length }, (_, i) => i);
  for (let i = length - 1; i > 0; i--) {
    const j = hashBelow(i + 1, ...words, i);
    const swapped = order[i]!;
    order[i] = order[j]!;
    order[j] = swapped;
  }
  return order;
}
