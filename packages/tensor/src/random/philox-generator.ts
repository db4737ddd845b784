import type { Generator, IntegerRange, PhiloxState } from './generator.ts';
import { identity, swap } from './permute.ts';
import { philox, type PhiloxBlock } from './philox.ts';
import { checkCount, checkRange, seedToUint64 } from './validate.ts';
import { modulo64 } from './words.ts';

const WIDE_RANGE_FROM = 2 ** 28;

/**
 * The numbers of PyTorch on a CUDA device: Philox 4x32-10 with key = seed and counter = (draw, 0, element, 0).
 *
 * `normal` gives `torch.randn(..., device='cuda')` for draws that fit one kernel launch (one element per thread: about
 * 200,000 elements on a large GPU, more than any SD or SDXL latent); the vector published for seed 0 is met. `uniform`,
 * `uniform64`, `normal64` and `integers` follow the rules of cuRAND and PyTorch in the same layout, but no GPU has
 * checked them. `permutation` is a shuffle of our own: CUDA's sorts random keys on the device.
 *
 * @param seed integer in -2^63 .. 2^64-1 (numbers: below 2^53 in magnitude); all 64 bits count
 * @throws UserError when the seed is not such an integer
 * @example
 * philoxGenerator(0).normal(4); // => Float32Array [-0.924663, -0.425344, -2.643846, 0.145184]
 */
export function philoxGenerator(seed: number | bigint): Generator {
  return new PhiloxGenerator(seedToUint64(seed), 0);
}

/** The class behind {@link philoxGenerator}; built directly only when a state is restored. */
export class PhiloxGenerator implements Generator {
  readonly kind = 'philox';
  readonly #seed: bigint;
  readonly #key0: number;
  readonly #key1: number;
  readonly #block: PhiloxBlock = new Uint32Array(4);
  #offset: number;

  constructor(seed: bigint, offset: number) {
    this.#seed = seed;
    this.#key0 = Number(seed & 0xffffffffn);
    this.#key1 = Number(seed >> 32n);
    this.#offset = offset;
  }

  uniform(count: number): Float32Array<ArrayBuffer> {
    return this.#draw(new Float32Array(checked(count)), ([x]) => {
      // cuRAND draws from (0, 1]; PyTorch turns the 1 into a 0.
      const value = Math.fround(Math.fround(x!) * 2 ** -32 + 2 ** -33);
      return value === 1 ? 0 : value;
    });
  }

  uniform64(count: number): Float64Array<ArrayBuffer> {
    return this.#draw(new Float64Array(checked(count)), ([x, y]) => {
      const value = wide(x!, y!) * 2 ** -53 + 2 ** -54;
      return value === 1 ? 0 : value;
    });
  }

  normal(count: number): Float32Array<ArrayBuffer> {
    return this.#draw(new Float32Array(checked(count)), ([x, y]) => {
      const u = (x! + 0.5) * 2 ** -32;
      const v = (y! + 0.5) * (2 * Math.PI * 2 ** -32);
      return Math.sqrt(-2 * Math.log(u)) * Math.sin(v);
    });
  }

  normal64(count: number): Float64Array<ArrayBuffer> {
    return this.#draw(new Float64Array(checked(count)), ([x, y, z, w]) => {
      const u = wide(x!, y!) * 2 ** -53 + 2 ** -54;
      const v = wide(z!, w!) * 2 ** -52 + 2 ** -53;
      return Math.sqrt(-2 * Math.log(u)) * Math.sin(Math.PI * v);
    });
  }

  integers(count: number, range: IntegerRange): Int32Array<ArrayBuffer> {
    checkCount('count', count);
    checkRange(range);
    const { low, high } = range;
    const span = high - low;
    return this.#draw(new Int32Array(count), ([x, y]) => low + (span < WIDE_RANGE_FROM ? x! % span : modulo64(x!, y!, span)));
  }

  permutation(n: number): Int32Array<ArrayBuffer> {
    checkCount('n', n);
    const order = identity(n);
    this.#each(n, ([x, y], i) => {
      swap(order, i, i + modulo64(x!, y!, n - i));
    });
    return order;
  }

  state(): PhiloxState {
    return { kind: this.kind, seed: this.#seed.toString(), offset: this.#offset };
  }

  #draw<Data extends Float32Array | Float64Array | Int32Array>(out: Data, value: (words: PhiloxBlock) => number): Data {
    this.#each(out.length, (words, i) => {
      out[i] = value(words);
    });
    return out;
  }

  #each(count: number, visit: (words: PhiloxBlock, index: number) => void): void {
    const block = this.#block;
    const offsetLow = this.#offset >>> 0;
    const offsetHigh = Math.floor(this.#offset / 2 ** 32);
    for (let i = 0; i < count; i++) {
      block[0] = offsetLow;
      block[1] = offsetHigh;
      block[2] = i;
      block[3] = 0;
      philox(block, this.#key0, this.#key1);
      visit(block, i);
    }
    // PyTorch launches nothing, and so moves nothing, for an empty tensor.
    if (count > 0) this.#offset += 1;
  }
}

function checked(count: number): number {
  checkCount('count', count);
  return count;
}

/** The 53-bit number that cuRAND makes of two words. */
function wide(low: number, high: number): number {
  // low ^ (high << 21), without 64-bit integers: bits 0..20 come from low, 21..31 from both, 32..52 from high.
  const shifted = (low ^ (high << 21)) >>> 0;
  return (high >>> 11) * 2 ** 32 + shifted;
}
