import { encodeBase64 } from './base64.ts';
import { normalBlocks64 } from './box-muller.ts';
import type { Generator, IntegerRange, TorchState } from './generator.ts';
import { Mt19937 } from './mt19937.ts';
import { identity, swap } from './permute.ts';
import { normalBlocks } from './torch-blocks.ts';
import { checkCount, checkRange, seedToUint64 } from './validate.ts';
import { modulo64, toUniform64 } from './words.ts';

/** From this many elements on, PyTorch fills normals in blocks of 16 instead of one pair at a time. */
const BLOCK_PATH_FROM = 16;
/** From this range on, PyTorch spends two words on an integer, so that the remainder stays near uniform. */
const WIDE_RANGE_FROM = 2 ** 28;
/** From this size on, PyTorch permutes with 64-bit remainders, inside out: floor((2^32 - 1) / 20). */
const WIDE_PERMUTATION_FROM = 214748364;

/**
 * The generator of PyTorch on the CPU: MT19937 with the numbers of `torch.Generator().manual_seed(seed)`.
 *
 * `uniform` is `torch.rand`, `uniform64` is `torch.rand(dtype=float64)`, `integers` is `torch.randint` and `permutation`
 * is `torch.randperm`, all bit for bit; `normal` is `torch.randn` to 2e-6 absolute (PyTorch's own logarithm and cosine
 * depend on the processor), `normal64` is `torch.randn(dtype=float64)` to the last bits. Checked against PyTorch 2.13.
 *
 * How normals are split over calls matters, as in PyTorch: two times `normal(16)` is `normal(32)`, but `normal(17)` redraws
 * its last 16 values, and fewer than 16 values take a scalar path that keeps the second normal of a pair for the next
 * scalar draw.
 *
 * @param seed integer in -2^63 .. 2^64-1 (numbers: below 2^53 in magnitude). As in PyTorch only the low 32 bits count.
 * @throws UserError when the seed is not such an integer
 * @example
 * torchGenerator(0).normal(4); // => Float32Array [1.5409961, -0.2934289, -2.1787894, 0.5684313]
 */
export function torchGenerator(seed: number | bigint): Generator {
  return new TorchGenerator(Mt19937.fromSeed(Number(BigInt.asIntN(32, seedToUint64(seed)))), null);
}

/** The class behind {@link torchGenerator}; built directly only when a state is restored. */
export class TorchGenerator implements Generator {
  readonly kind = 'torch';
  readonly #twister: Mt19937;
  readonly #pair = new Uint32Array(2);
  #cachedNormal: number | null;

  constructor(twister: Mt19937, cachedNormal: number | null) {
    this.#twister = twister;
    this.#cachedNormal = cachedNormal;
  }

  uniform(count: number): Float32Array<ArrayBuffer> {
    checkCount('count', count);
    return this.#fillUniform(new Float32Array(count));
  }

  uniform64(count: number): Float64Array<ArrayBuffer> {
    checkCount('count', count);
    return this.#fillUniform64(new Float64Array(count));
  }

  normal(count: number): Float32Array<ArrayBuffer> {
    checkCount('count', count);
    const data = new Float32Array(count);
    if (count < BLOCK_PATH_FROM) return this.#fillScalarNormal(data);
    this.#fillUniform(data);
    normalBlocks(data, { start: 0, blocks: Math.floor(count / 16) });
    if (count % 16 !== 0) normalBlocks(this.#fillUniform(data.subarray(count - 16)), { start: 0, blocks: 1 });
    return data;
  }

  normal64(count: number): Float64Array<ArrayBuffer> {
    checkCount('count', count);
    const data = new Float64Array(count);
    if (count < BLOCK_PATH_FROM) return this.#fillScalarNormal(data);
    this.#fillUniform64(data);
    normalBlocks64(data, { start: 0, blocks: Math.floor(count / 16) });
    if (count % 16 !== 0) normalBlocks64(this.#fillUniform64(data.subarray(count - 16)), { start: 0, blocks: 1 });
    return data;
  }

  integers(count: number, range: IntegerRange): Int32Array<ArrayBuffer> {
    checkCount('count', count);
    checkRange(range);
    const { low, high } = range;
    const span = high - low;
    const out = new Int32Array(count);
    if (span < WIDE_RANGE_FROM) {
      const words = new Uint32Array(out.buffer);
      this.#twister.fill(words);
      for (let i = 0; i < count; i++) out[i] = low + (words[i]! % span);
    } else {
      for (let i = 0; i < count; i++) out[i] = low + this.#remainder64(span);
    }
    return out;
  }

  permutation(n: number): Int32Array<ArrayBuffer> {
    checkCount('n', n);
    if (n >= WIDE_PERMUTATION_FROM) return this.#widePermutation(n);
    const order = identity(n);
    const words = new Uint32Array(Math.max(0, n - 1));
    this.#twister.fill(words);
    for (let i = 0; i < n - 1; i++) swap(order, i, i + (words[i]! % (n - i)));
    return order;
  }

  state(): TorchState {
    const { words, position } = this.#twister;
    const bytes = new Uint8Array(words.length * 4);
    const view = new DataView(bytes.buffer);
    words.forEach((word, i) => view.setInt32(i * 4, word, true));
    return { kind: this.kind, words: encodeBase64(bytes), position, cachedNormal: this.#cachedNormal };
  }

  #fillUniform(out: Float32Array<ArrayBuffer>): Float32Array<ArrayBuffer> {
    // The words are written where the floats will be: each is read before its place is overwritten.
    const words = new Uint32Array(out.buffer, out.byteOffset, out.length);
    this.#twister.fill(words);
    for (let i = 0; i < out.length; i++) out[i] = (words[i]! & 0xffffff) * 2 ** -24;
    return out;
  }

  #fillUniform64(out: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
    const words = new Uint32Array(out.buffer, out.byteOffset, out.length * 2);
    this.#twister.fill(words);
    for (let i = 0; i < out.length; i++) out[i] = toUniform64(words[2 * i]!, words[2 * i + 1]!);
    return out;
  }

  #fillScalarNormal<Data extends Float32Array | Float64Array>(out: Data): Data {
    for (let i = 0; i < out.length; i++) {
      if (this.#cachedNormal !== null) {
        out[i] = this.#cachedNormal;
        this.#cachedNormal = null;
        continue;
      }
      const angle = 2 * Math.PI * this.#scalarUniform();
      const radius = Math.sqrt(-2 * Math.log1p(-this.#scalarUniform()));
      out[i] = radius * Math.cos(angle);
      this.#cachedNormal = radius * Math.sin(angle);
    }
    return out;
  }

  #scalarUniform(): number {
    this.#twister.fill(this.#pair);
    return toUniform64(this.#pair[0]!, this.#pair[1]!);
  }

  #remainder64(range: number): number {
    this.#twister.fill(this.#pair);
    return modulo64(this.#pair[0]!, this.#pair[1]!, range);
  }

  #widePermutation(n: number): Int32Array<ArrayBuffer> {
    const order = new Int32Array(n);
    for (let i = 0; i < n; i++) {
      const j = this.#remainder64(i + 1);
      order[i] = order[j]!;
      order[j] = i;
    }
    return order;
  }
}
