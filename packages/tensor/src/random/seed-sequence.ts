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
export function seedSequence(
  entropy: number | bigint | readonly (number | bigint)[],
  options: SeedSequenceOptions,
): Uint32Array<ArrayBuffer> {
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

const FACTOR_IN = 0x931e8875;
const FACTOR_OUT = 0x58f38ded;

/** The factor of a hash is that of the one before times a constant, and multiplies it too. */
function hash(word: number, factor: number, next: number): number {
  const product = Math.imul(word ^ factor, next);
  return product ^ (product >>> 16);
}

function mix(x: number, y: number): number {
  const value = (Math.imul(x, 0xca01f9dd) - Math.imul(y, 0x4973f715)) | 0;
  return value ^ (value >>> 16);
}

/**
 * Without closures over the factor, which would be a new object at each step: generators with a stream of their own are made in numbers.
 */
function mixPool(input: readonly number[], poolSize: number): Int32Array {
  let factor = 0x43b0d7e5;
  const pool = new Int32Array(poolSize);
  for (let i = 0; i < poolSize; i++) {
    const next = Math.imul(factor, FACTOR_IN);
    pool[i] = hash(i < input.length ? input[i]! : 0, factor, next);
    factor = next;
  }
  for (let source = 0; source < poolSize; source++) {
    for (let target = 0; target < poolSize; target++) {
      if (source === target) continue;
      const next = Math.imul(factor, FACTOR_IN);
      pool[target] = mix(pool[target]!, hash(pool[source]!, factor, next));
      factor = next;
    }
  }
  for (let i = poolSize; i < input.length; i++) {
    for (let target = 0; target < poolSize; target++) {
      const next = Math.imul(factor, FACTOR_IN);
      pool[target] = mix(pool[target]!, hash(input[i]!, factor, next));
      factor = next;
    }
  }
  return pool;
}

function generate(pool: Int32Array, words: number): Uint32Array<ArrayBuffer> {
  let factor = 0x8b51f9dd;
  const out = new Uint32Array(words);
  for (let i = 0; i < words; i++) {
    const next = Math.imul(factor, FACTOR_OUT);
    out[i] = hash(pool[i % pool.length]!, factor, next);
    factor = next;
  }
  return out;
}

/** Each integer in as few little-endian words as hold it; zero takes one. */
function splitWords(name: string, values: readonly (number | bigint)[]): number[] {
  const words: number[] = [];
  for (const value of values) {
    if (typeof value === 'number' ? !Number.isSafeInteger(value) || value < 0 : typeof value !== 'bigint' || value < 0n) {
      throw new UserError(
        `[tensor/random] ${name} must hold integers >= 0: got ${show(value)}. Pass whole numbers, as bigint from 2^53 on.`,
      );
    }
    if (typeof value === 'number') {
      words.push(value % 2 ** 32);
      if (value >= 2 ** 32) words.push(Math.floor(value / 2 ** 32));
    } else {
      for (let rest = value, first = true; first || rest > 0n; rest >>= 32n, first = false) words.push(Number(rest & 0xffffffffn));
    }
    if (words.length > MAX_INPUT_WORDS) {
      throw new UserError(
        `[tensor/random] ${name} must fit in ${MAX_INPUT_WORDS} words of 32 bits: got more. Pass fewer or smaller integers.`,
      );
    }
  }
  return words;
}
