import { UserError } from '../errors.ts';
import { seedSequence } from './seed-sequence.ts';
import { torchGenerator } from './torch-generator.ts';
import { checkInteger, seedToUint64, show } from './validate.ts';

export interface BrownianTreeOptions {
  /** Entropy of the path, an integer in 0 .. 2^64-1 (numbers: below 2^53). */
  readonly seed: number | bigint;
  /** One end of the time interval (for samplers: a sigma), finite, magnitude below 1e6. */
  readonly t0: number;
  /** The other end, in either order. */
  readonly t1: number;
  /** Independent components of the path, 1..2^28: the number of elements of the sample. */
  readonly count: number;
}

/** A Brownian path W on an interval, W = 0 at its lower end. */
export interface BrownianTree {
  readonly start: number;
  readonly end: number;
  readonly count: number;
  /** W(t), shape [count], for t in start..end. */
  at(t: number): Float32Array<ArrayBuffer>;
  /** Unit-variance increment from time `from` to time `to`: (W(to) - W(from)) / sqrt(|to - from|), shape [count]. */
  noise(from: number, to: number): Float32Array<ArrayBuffer>;
}

interface Node {
  readonly start: number;
  readonly end: number;
  /** Position of the node within its depth, from the left; exact up to depth 52. */
  readonly key: number;
  readonly depth: number;
  /** Increment of W over the node. */
  readonly increment: Float32Array<ArrayBuffer>;
}

/** torchsde's entropy pool for trees, in words. */
const POOL = 24;
/** Sizes one million in magnitude at six decimals need 40 halvings; more would mean rounding that does not converge. */
const MAX_DEPTH = 50;

/**
 * The Brownian path of SDE samplers: a bridge refined by halves, each half with a seed of its own, so that W(t) depends on
 * the seed alone and not on the times asked for (Li et al. 2020, arXiv:2001.01328, section 4). One seed gives one noise
 * however many steps a sampler takes.
 *
 * It follows torchsde's `BrownianTree(tol=1e-6, pool_size=24)`, which k-diffusion, ComfyUI and diffusers use for the
 * `dpmpp_sde` family: times are rounded to six decimals, numbers come from PyTorch's CPU generator. Agreement with
 * torchsde 0.2.6 is 1e-5 absolute.
 *
 * @throws UserError when the interval is empty after rounding, or a time, count or seed is out of range
 * @example
 * const tree = brownianTree({ seed: 0, t0: 0.03, t1: 14.6, count: 4 * 64 * 64 });
 * // The noise of a sampler's step from sigma 14.6 to 9.7.
 * tree.noise(14.6, 9.7).length; // => 16384
 */
export function brownianTree({ seed, t0, t1, count }: BrownianTreeOptions): BrownianTree {
  checkTime('t0', t0);
  checkTime('t1', t1);
  checkInteger('count', count, { min: 1, max: 2 ** 28 });
  if (seed < 0)
    throw new UserError(`[tensor/random] the seed of a Brownian tree must be >= 0: seed=${show(seed)}. Pass an unsigned integer.`);
  const entropy = seedToUint64(seed);
  const start = roundTime(Math.min(t0, t1));
  const end = roundTime(Math.max(t0, t1));
  if (start >= end) {
    throw new UserError(
      `[tensor/random] a Brownian tree needs t0 and t1 that differ after rounding to 6 decimals: t0=${t0}, t1=${t1}. Pass a longer `
        + 'interval.',
    );
  }
  // torchsde draws the root with the length before rounding.
  const rootScale = Math.sqrt(Math.abs(t1 - t0));
  const [rootSeed] = seedSequence(entropy, { poolSize: POOL, words: 3 });
  const rootIncrement = torchGenerator(rootSeed!)
    .normal(count)
    .map((value) => value * rootScale);
  // A sampler asks for W(sigma) at the end of one step and again at the start of the next.
  const recent = new Map<number, Float64Array<ArrayBuffer>>();

  const valueAt = (name: string, t: number): Float64Array<ArrayBuffer> => {
    checkTime(name, t);
    const time = roundTime(t);
    if (time < start || time > end) {
      throw new UserError(
        `[tensor/random] ${name} lies outside the Brownian tree: ${name}=${t}, interval ${start}..${end}. Build the tree over all `
          + 'sigmas of the sampler.',
      );
    }
    const known = recent.get(time);
    if (known !== undefined) return known;
    const value = descend({ start, end, key: 0, depth: 0, increment: rootIncrement }, time, entropy);
    if (recent.size >= 2) {
      const [oldest] = recent.keys();
      recent.delete(oldest!);
    }
    recent.set(time, value);
    return value;
  };

  return Object.freeze({
    start,
    end,
    count,
    at: (t: number) => Float32Array.from(valueAt('t', t)),
    noise: (from: number, to: number) => {
      const first = valueAt('from', from);
      const second = valueAt('to', to);
      if (from === to) {
        throw new UserError(`[tensor/random] the noise of an empty step is undefined: from=${from}, to=${to}. Pass two different times.`);
      }
      const scale = Math.sqrt(Math.abs(to - from));
      // Not Float32Array.from, whose callback takes fifty times as long as this.
      const noise = new Float32Array(count);
      for (let i = 0; i < count; i++) noise[i] = (second[i]! - first[i]!) / scale;
      return noise;
    },
  });
}

/** W(time): the sum of the increments of the halves left of `time`, in float64 so that differences of two such sums keep their digits. */
function descend(root: Node, time: number, entropy: bigint): Float64Array<ArrayBuffer> {
  const value = new Float64Array(root.increment.length);
  if (time === root.start) return value;
  let node = root;
  while (time !== node.end) {
    const { left, right } = split(node, entropy);
    if (time <= left.end) {
      node = left;
    } else {
      add(value, left.increment);
      node = right;
    }
  }
  add(value, node.increment);
  return value;
}

function split({ start, end, key, depth, increment }: Node, entropy: bigint): { readonly left: Node; readonly right: Node } {
  const middle = roundTime((start + end) / 2);
  if (depth >= MAX_DEPTH || middle <= start || middle >= end) {
    throw new UserError(
      `[tensor/random] the Brownian tree cannot be refined between ${start} and ${end}: times hold six decimals. Use steps longer `
        + 'than 1e-6.',
    );
  }
  const [seed] = seedSequence(entropy, { spawnKey: [key, depth], poolSize: POOL, words: 4 });
  // Brownian bridge: mean and deviation of W(middle) given both ends.
  const fraction = middle - start;
  const reciprocal = 1 / (end - start);
  const deviation = Math.sqrt(fraction * (end - middle) * reciprocal);
  const first = torchGenerator(seed!).normal(increment.length);
  const second = new Float32Array(increment.length);
  for (let i = 0; i < first.length; i++) {
    const total = increment[i]!;
    first[i] = Math.fround(Math.fround(fraction * total) * reciprocal) + Math.fround(deviation * first[i]!);
    second[i] = total - first[i]!;
  }
  return {
    left: { start, end: middle, key: 2 * key, depth: depth + 1, increment: first },
    right: { start: middle, end, key: 2 * key + 1, depth: depth + 1, increment: second },
  };
}

function add(target: Float64Array, values: Float32Array): void {
  for (let i = 0; i < target.length; i++) target[i] = target[i]! + values[i]!;
}

function checkTime(name: string, value: number): void {
  if (typeof value !== 'number' || !Number.isFinite(value) || Math.abs(value) >= 1e6) {
    throw new UserError(`[tensor/random] ${name} must be a finite time of magnitude below 1e6: ${name}=${show(value)}. Pass a sigma.`);
  }
}

/** Python's round(time, 6): to the nearest of the exact binary value, ties to even. */
function roundTime(time: number): number {
  // toFixed rounds the exact value too, but ties away from zero; only odd multiples of 1/128 are ties at six decimals.
  const in128ths = time * 128;
  if (Number.isInteger(in128ths) && in128ths % 2 !== 0) {
    const floor = Math.floor(time * 1e6);
    return (floor % 2 === 0 ? floor : floor + 1) / 1e6;
  }
  return Number(time.toFixed(6));
}
