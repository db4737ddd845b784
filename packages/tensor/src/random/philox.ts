/** Multipliers and key increments of Philox 4x32 (Salmon et al. 2011, doi:10.1145/2063384.2063405, section 4.3). */
const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
const WEYL_0 = 0x9e3779b9 | 0;
const WEYL_1 = 0xbb67ae85 | 0;
const ROUNDS = 10;

/** High 32 bits (signed) of the unsigned product of a word and a constant in two halves of 16 bits. */
function multiplyHigh(word: number, high: number, low: number): number {
  // No partial sum reaches 2^32, so that integers of 32 bits hold them: V8 keeps those in registers.
  const wordLow = word & 0xffff;
  const wordHigh = word >>> 16;
  const upper = (Math.imul(wordHigh, low) + (Math.imul(wordLow, low) >>> 16)) | 0;
  const lower = (Math.imul(wordLow, high) + (upper & 0xffff)) | 0;
  return (Math.imul(wordHigh, high) + (upper >>> 16) + (lower >>> 16)) | 0;
}

/** Four words: the counter before, the random words after. */
export type PhiloxBlock = Uint32Array<ArrayBuffer>;

/**
 * Philox 4x32-10: a keyed bijection of 128-bit counters whose values over distinct counters are random words.
 *
 * @param block the counter as four words, lowest first; replaced by the four random words
 * @param key   the 64-bit key as two words, lowest first
 */
export function philox(block: PhiloxBlock, key0: number, key1: number): void {
  let c0 = block[0]! | 0;
  let c1 = block[1]! | 0;
  let c2 = block[2]! | 0;
  let c3 = block[3]! | 0;
  let k0 = key0 | 0;
  let k1 = key1 | 0;
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = multiplyHigh(c0, MULTIPLIER_0 >>> 16, MULTIPLIER_0 & 0xffff);
    const high1 = multiplyHigh(c2, MULTIPLIER_1 >>> 16, MULTIPLIER_1 & 0xffff);
    const low0 = Math.imul(c0, MULTIPLIER_0);
    const low1 = Math.imul(c2, MULTIPLIER_1);
    c0 = high1 ^ c1 ^ k0;
    c1 = low1;
    c2 = high0 ^ c3 ^ k1;
    c3 = low0;
    k0 = (k0 + WEYL_0) | 0;
    k1 = (k1 + WEYL_1) | 0;
  }
  block[0] = c0;
  block[1] = c1;
  block[2] = c2;
  block[3] = c3;
}
