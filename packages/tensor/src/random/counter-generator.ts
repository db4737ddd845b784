import { UserError } from '../errors.ts';
import { MAX_COUNT, type CounterState, type Generator, type IntegerRange } from './generator.ts';
import { fillNormals } from './kernels.ts';
import { identity, swap } from './permute.ts';
import { philox, type PhiloxBlock } from './philox.ts';
import { seedSequence } from './seed-sequence.ts';
import { checkCount, checkInteger, checkRange, seedToUint64, show } from './validate.ts';
import { modulo64, toUniform64 } from './words.ts';

export interface CounterOptions {
  /** Integer in -2^63 .. 2^64-1 (numbers: below 2^53 in magnitude). */
  readonly seed: number | bigint;
  /** What the numbers are for, such as [image, step]: at most 64 safe integers >= 0. Each list is its own stream. */
  readonly stream: readonly number[];
}

/** A {@link Generator} whose every element has an address, so that nothing before it needs to be drawn. */
export interface CounterGenerator extends Generator {
  readonly kind: 'counter';
  readonly stream: readonly number[];
  /** Index of the next element, of whatever sort it will be. */
  readonly position: number;
  /**
   * A second generator of the same stream whose next element is number `position`, an integer in 0..2^52.
   *
   * @example
   * counterGenerator({ seed: 1, stream: [] }).at(1000).normal(2); // elements 1000 and 1001 of the normals
   */
  at(position: number): CounterGenerator;
  /** The numbers of `normal(out.length)`, into memory that is there. */
  fillNormal(out: Float32Array): void;
  state(): CounterState;
}

const MAX_POSITION = 2 ** 52;
const MAX_STREAM = 64;

/** Every sort of number has blocks of its own: no word ever serves two sorts. */
const DOMAIN = { uniform: 0, normal: 1, uniform64: 2, normal64: 3, integers: 4, permutation: 5 } as const;

/**
 * Random numbers that depend on (seed, stream, index) alone, so that the noise of image k at step s is the same in any
 * batch, order or process.
 *
 * Construction: `seedSequence(seed words, { spawnKey: stream words })`, with two words for each integer, gives four words:
 * the key of Philox 4x32-10 and the upper half of its counter. The lower half is the block index (51 bits) with the sort
 * of number (uniform, normal, ...) in its top bits. A block makes four float32 or two float64 elements. Element i of a
 * sort is therefore a pure function of (seed, stream, sort, i); `position` counts elements, and `normal(3)` then
 * `normal(5)` gives `normal(8)`. Two streams collide with probability 2^-128 a pair.
 *
 * All but `normal64` has the same bits on every host: float32 normals are the Box-Muller formula to a relative 5e-7, by operations of
 * float32 alone (docs/decisions/0015-fast-normals.md), while `normal64` takes the host's logarithm, sine and cosine.
 *
 * @throws UserError when the seed or an entry of the stream is out of range
 * @example
 * const noise = counterGenerator({ seed: 7, stream: [3, 0] }); // image 3, step 0
 * noise.normal(4);
 */
export function counterGenerator({ seed, stream }: CounterOptions): CounterGenerator {
  return new PhiloxCounterGenerator({ seed: seedToUint64(seed), stream: checkStream(stream), position: 0 });
}

/** The class behind {@link counterGenerator}; built directly only when a state is restored. */
export class PhiloxCounterGenerator implements CounterGenerator {
  readonly kind = 'counter';
  readonly stream: readonly number[];
  readonly #seed: bigint;
  readonly #identity: Uint32Array;
  readonly #block: PhiloxBlock = new Uint32Array(4);
  #position: number;

  constructor({ seed, stream, position }: { readonly seed: bigint; readonly stream: readonly number[]; readonly position: number }) {
    this.stream = Object.freeze([...stream]);
    this.#seed = seed;
    this.#position = position;
    // Always two words an integer: numpy's shortest split would confuse [2^32 + 5] with [5, 1].
    const spawnKey: number[] = [];
    for (const value of stream) spawnKey.push(value % 2 ** 32, Math.floor(value / 2 ** 32));
    this.#identity = seedSequence([Number(seed & 0xffffffffn), Number(seed >> 32n)], { spawnKey, words: 4 });
  }

  get position(): number {
    return this.#position;
  }

  at(position: number): CounterGenerator {
    checkInteger('position', position, { min: 0, max: MAX_POSITION });
    return new PhiloxCounterGenerator({ seed: this.#seed, stream: this.stream, position });
  }

  uniform(count: number): Float32Array<ArrayBuffer> {
    const first = this.#advance(count);
    const out = new Float32Array(count);
    this.#blocks({ first, count, perBlock: 4, domain: DOMAIN.uniform }, (words, at) => {
      for (let lane = 0; lane < 4; lane++) if (at + lane >= 0 && at + lane < count) out[at + lane] = (words[lane]! >>> 8) * 2 ** -24;
    });
    return out;
  }

  uniform64(count: number): Float64Array<ArrayBuffer> {
    const first = this.#advance(count);
    const out = new Float64Array(count);
    this.#blocks({ first, count, perBlock: 2, domain: DOMAIN.uniform64 }, (words, at) => {
      if (at >= 0) out[at] = toUniform64(words[0]!, words[1]!);
      if (at + 1 < count) out[at + 1] = toUniform64(words[2]!, words[3]!);
    });
    return out;
  }

  normal(count: number): Float32Array<ArrayBuffer> {
    checkCount('count', count);
    const out = new Float32Array(count);
    this.fillNormal(out);
    return out;
  }

  fillNormal(out: Float32Array): void {
    const count = out.length;
    const start = this.#advance(count);
    const first = Math.floor(start / 4);
    const counters = Math.ceil((start + count) / 4) - first;
    const range = { first, count: counters, domain: DOMAIN.normal, identity: this.#identity };
    if (4 * first === start && 4 * counters === count) {
      fillNormals(out, range);
    } else if (count > 0) {
      // A counter makes four: those before the start and after the end are left out.
      const whole = new Float32Array(4 * counters);
      fillNormals(whole, range);
      out.set(whole.subarray(start - 4 * first, start - 4 * first + count));
    }
  }

  normal64(count: number): Float64Array<ArrayBuffer> {
    const first = this.#advance(count);
    const out = new Float64Array(count);
    this.#blocks({ first, count, perBlock: 2, domain: DOMAIN.normal64 }, (words, at) => {
      const radius = Math.sqrt(-2 * Math.log1p(-toUniform64(words[0]!, words[1]!)));
      const angle = 2 * Math.PI * toUniform64(words[2]!, words[3]!);
      if (at >= 0) out[at] = radius * Math.cos(angle);
      if (at + 1 < count) out[at + 1] = radius * Math.sin(angle);
    });
    return out;
  }

  integers(count: number, range: IntegerRange): Int32Array<ArrayBuffer> {
    checkRange(range);
    const first = this.#advance(count);
    const { low, high } = range;
    const out = new Int32Array(count);
    // 64 random bits an element make the bias of the remainder at most 2^-32, with no rejection to break addressing.
    this.#blocks({ first, count, perBlock: 2, domain: DOMAIN.integers }, (words, at) => {
      if (at >= 0) out[at] = low + modulo64(words[0]!, words[1]!, high - low);
      if (at + 1 < count) out[at + 1] = low + modulo64(words[2]!, words[3]!, high - low);
    });
    return out;
  }

  permutation(n: number): Int32Array<ArrayBuffer> {
    const first = this.#advance(n, 'n');
    const order = identity(n);
    this.#blocks({ first, count: n, perBlock: 2, domain: DOMAIN.permutation }, (words, at) => {
      if (at >= 0) swap(order, at, at + modulo64(words[0]!, words[1]!, n - at));
      if (at + 1 < n) swap(order, at + 1, at + 1 + modulo64(words[2]!, words[3]!, n - at - 1));
    });
    return order;
  }

  state(): CounterState {
    return { kind: this.kind, seed: this.#seed.toString(), stream: this.stream, position: this.#position };
  }

  /** Moves on by `count` elements and returns the index of the first of them. */
  #advance(count: number, name = 'count'): number {
    checkCount(name, count);
    const first = this.#position;
    if (first + count > MAX_POSITION + MAX_COUNT) {
      throw new UserError(
        `[tensor/random] the stream has no elements beyond 2^52 + 2^31: position=${first}, count=${count}. Use another stream.`,
      );
    }
    this.#position = first + count;
    return first;
  }

  /** Visits the blocks that hold elements first .. first + count - 1, with the index in the output of each one's first element. */
  #blocks(
    {
      first,
      count,
      perBlock,
      domain,
    }: { readonly first: number; readonly count: number; readonly perBlock: number; readonly domain: number },
    visit: (words: PhiloxBlock, at: number) => void,
  ): void {
    const block = this.#block;
    const [key0, key1, upper0, upper1] = this.#identity;
    const start = Math.floor(first / perBlock);
    const end = Math.ceil((first + count) / perBlock);
    for (let index = count === 0 ? end : start; index < end; index++) {
      block[0] = index % 2 ** 32;
      block[1] = Math.floor(index / 2 ** 32) + domain * 2 ** 24;
      block[2] = upper0!;
      block[3] = upper1!;
      philox(block, key0!, key1!);
      visit(block, index * perBlock - first);
    }
  }
}

/** Validates a stream that may come from outside. */
export function checkStream(stream: unknown): readonly number[] {
  if (!Array.isArray(stream) || stream.length > MAX_STREAM) {
    throw new UserError(
      `[tensor/random] stream must be a list of at most ${MAX_STREAM} integers: stream=${show(stream)}. Pass for example [image, step].`,
    );
  }
  stream.forEach((value: unknown, i) => {
    // The name is made for the message alone.
    if (!Number.isSafeInteger(value) || (value as number) < 0)
      checkInteger(`stream[${i}]`, value, { min: 0, max: Number.MAX_SAFE_INTEGER });
  });
  return stream as readonly number[];
}
