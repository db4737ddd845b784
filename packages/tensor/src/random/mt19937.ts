/** Words in the state of MT19937. */
export const MT_WORDS = 624;
const MIDDLE = 397;
const MATRIX = 0x9908b0df | 0;
const UPPER = 0x80000000 | 0;
const TEMPER_B = 0x9d2c5680 | 0;
const TEMPER_C = 0xefc60000 | 0;

/**
 * The Mersenne Twister MT19937 (Matsumoto & Nishimura 1998, doi:10.1145/272991.272995), a block of 624 words at a time.
 *
 * `words` and `position` are the whole state. Words are kept signed: the engines hold those in registers unboxed.
 */
export class Mt19937 {
  readonly words: Int32Array<ArrayBuffer>;
  position: number;

  constructor(words: Int32Array<ArrayBuffer>, position: number) {
    this.words = words;
    this.position = position;
  }

  /** The generator that `init_genrand(seed)` of the reference implementation gives; only the low 32 bits of `seed` count. */
  static fromSeed(seed: number): Mt19937 {
    const words = new Int32Array(MT_WORDS);
    let word = seed | 0;
    words[0] = word;
    for (let i = 1; i < MT_WORDS; i++) {
      word = (Math.imul(1812433253, word ^ (word >>> 30)) + i) | 0;
      words[i] = word;
    }
    return new Mt19937(words, MT_WORDS);
  }

  /** Fills `out` with the next `out.length` 32-bit words. */
  fill(out: Uint32Array): void {
    const { words } = this;
    const total = out.length;
    for (let done = 0; done < total;) {
      if (this.position >= MT_WORDS) {
        twist(words);
        this.position = 0;
      }
      const start = this.position;
      const count = Math.min(MT_WORDS - start, total - done);
      for (let i = 0; i < count; i++) {
        let y = words[start + i]!;
        y ^= y >>> 11;
        y ^= (y << 7) & TEMPER_B;
        y ^= (y << 15) & TEMPER_C;
        out[done + i] = y ^ (y >>> 18);
      }
      this.position = start + count;
      done += count;
    }
  }
}

function twist(words: Int32Array): void {
  // (y << 31) >> 31 spreads the lowest bit over the word: a branch-free "if odd" that stays in integers, unlike -(y & 1).
  let i = 0;
  let current = words[0]!;
  for (; i < MT_WORDS - MIDDLE; i++) {
    const next = words[i + 1]!;
    const y = (current & UPPER) | (next & 0x7fffffff);
    words[i] = words[i + MIDDLE]! ^ (y >>> 1) ^ (((y << 31) >> 31) & MATRIX);
    current = next;
  }
  for (; i < MT_WORDS - 1; i++) {
    const next = words[i + 1]!;
    const y = (current & UPPER) | (next & 0x7fffffff);
    words[i] = words[i + MIDDLE - MT_WORDS]! ^ (y >>> 1) ^ (((y << 31) >> 31) & MATRIX);
    current = next;
  }
  const y = (current & UPPER) | (words[0]! & 0x7fffffff);
  words[i] = words[MIDDLE - 1]! ^ (y >>> 1) ^ (((y << 31) >> 31) & MATRIX);
}
