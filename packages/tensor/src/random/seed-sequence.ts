import { UserError } from '../errors.ts';
import { checkInteger, show } from './validate.ts';

export interface SeedSequenceOptions {
  /** Path of a child sequence; each entry an integer >= 0. @default [] (the root) */
  readonly spawnKey?: readonly (number | bigint)[];
  /** Words of the entropy pool, 4..1024. @default 4, as in numpy */
  readonly poolSize?: number;
  /** Words to generate, 1..2^20. */
  readonly words: number;
}

/** Longest entropy and spawn key, in 32-bit words: far above any use, and it bounds the work. */
const MAX_INPUT_WORDS = 4096;

/**
 * numpy's `SeedSequence(entropy, spawn_key=..., pool_size=...).generate_state(words)`: well-mixed 32-bit seeds from any
 * integers, after O'Neill's `seed_seq` (numpy NEP 19).
 *
 * @param entropy one integer >= 0 of any size, or a list of them
 * @returns the words, shape [words]
 * @throws UserError for negative or fractional input, and for sizes out of bounds
 * @example
 * seedSequence(0, { poolSize: 24, words: 3 }); // => Uint32Array [4025752534, 2687548107, 2326983537]
 */
export function seedSequence(entropy: number | bigint | readonly (number | bigint)[], options: SeedSequenceOptions): Uint32Array<ArrayBuffer> {
  const { spawnKey = [], poolSize = 4, words } = options;
  checkInteger('poolSize', poolSize, { min: 4, max: 1024 });
  checkInteger('words', words, { min: 1, max: 2 ** 20 });
  const input = splitWords('entropy', Array.isArray(entropy) ? (entropy as readonly (number | bigint)[]) : [entropy as number | bigint]);
  if (spawnKey.length > 0) {
    // Without the padding, entropy that continues like the spawn key would give the same stream as the child.
    while (input.length < poolSize) input.push(0);
    input.push(...splitWords('spawnKey', spawnKey));
  }
  return generate(mixPool(input, poolSize), words);
}

function mixPool(input: readonly number[], poolSize: number): Uint32Array {
  let factor = 0x43b0d7e5;
  const hash = (word: number): number => {
    const value = word ^ factor;
    factor = Math.imul(factor, 0x931e8875);
    const product = Math.imul(value, factor);
    return product ^ (product >>> 16);
  };
  const mix = (x: number, y: number): number => {
    const value = (Math.imul(x, 0xca01f9dd) - Math.imul(y, 0x4973f715)) | 0;
    return value ^ (value >>> 16);
  };
  const pool = new Uint32Array(poolSize);
  for (let i = 0; i < poolSize; i++) pool[i] = hash(input[i] ?? 0);
  for (let source = 0; source < poolSize; source++) {
    for (let target = 0; target < poolSize; target++) {
      if (source !== target) pool[target] = mix(pool[target]!, hash(pool[source]!));
    }
  }
  for (const word of input.slice(poolSize)) {
    for (let target = 0; target < poolSize; target++) pool[target] = mix(pool[target]!, hash(word));
  }
  return pool;
}

function generate(pool: Uint32Array, words: number): Uint32Array<ArrayBuffer> {
  let factor = 0x8b51f9dd;
  return Uint32Array.from({ length: words }, (_, i) => {
    const value = pool[i % pool.length]! ^ factor;
    factor = Math.imul(factor, 0x58f38ded);
    const product = Math.imul(value, factor);
    return product ^ (product >>> 16);
  });
}

/** Each integer in as few little-endian words as hold it; zero takes one. */
function splitWords(name: string, values: readonly (number | bigint)[]): number[] {
  const words: number[] = [];
  for (const value of values) {
    if (typeof value === 'number' ? !Number.isSafeInteger(value) || value < 0 : typeof value !== 'bigint' || value < 0n) {
      throw new UserError(`[tensor/random] ${name} must hold integers >= 0: got ${show(value)}. Pass whole numbers, as bigint from 2^53 on.`);
    }
    if (typeof value === 'number') {
      words.push(value % 2 ** 32);
      if (value >= 2 ** 32) words.push(Math.floor(value / 2 ** 32));
    } else {
      for (let rest = value, first = true; first || rest > 0n; rest >>= 32n, first = false) words.push(Number(rest & 0xffffffffn));
    }
    if (words.length > MAX_INPUT_WORDS) {
      throw new UserError(`[tensor/random] ${name} must fit in ${MAX_INPUT_WORDS} words of 32 bits: got more. Pass fewer or smaller integers.`);
    }
  }
  return words;
}
