import { philox, type PhiloxBlock } from './philox.ts';

/** Which counters of Philox: (index, then 20 bits of zeros and the sort of number, upper words), under a key. */
export interface CounterRange {
  /** Index of the first counter, an integer below 2^51. */
  readonly first: number;
  /** Number of counters. */
  readonly count: number;
  /** Bits 56 to 63 of the counter. */
  readonly domain: number;
  /** Two words of key, then the two upper words of the counter. */
  readonly identity: Uint32Array;
}

/*
 * Three polynomials of degree 5 in the square of their argument, nearly minimax (interpolated at Chebyshev nodes): two sums of them give a normal to a
 * relative 2e-13, of which rounding to float32 leaves nothing in all but some of a million.
 */

/** log((1 + s) / (1 - s)) / 2s for |s| <= 0.17158, error 3e-14. */
const PAIR_LOG = [0.9999999999999736, 0.3333333333979046, 0.19999997445651485, 0.14286083101745892, 0.11087123695691475, 0.09804066846981405] as const;
/** sin(x) / x for |x| <= pi / 4, error 5e-15. */
const SINE = [0.9999999999999957, -0.16666666666616686, 0.00833333332387815, -0.00019841263298390487, 2.755527189338574e-6, -2.4756558771686467e-8] as const;
/** cos(x) for |x| <= pi / 4, error 6e-14. */
const COSINE = [0.9999999999999444, -0.49999999999351113, 0.04166666654391119, -0.0013888880393776398, 2.4798928755318372e-5, -2.717342984064137e-7] as const;

/** Upper half of sqrt(1/2) / 2 as float64, where the mantissas of {@link radiusOf} begin, and of twice that. */
const LEAST_HALF = 0x3fd6a09f;
const LEAST = 0x3fe6a09f;
const RADIANS = (2 * Math.PI) / 2 ** 32;

const number = new Float64Array(1);
const halves = new Int32Array(number.buffer);

/** Written out as the kernels add and multiply, since another order rounds differently. */
function polynomial(x: number, c: readonly [number, number, number, number, number, number]): number {
  const xx = x * x;
  return c[0] + x * c[1] + xx * (c[2] + x * c[3] + xx * (c[4] + x * c[5]));
}

/** sqrt(-2 log u) for u = (word + 1/2) / 2^32: half a step above zero keeps the logarithm finite. */
export function radiusOf(word: number): number {
  // u = m 2^-halvings with m in sqrt(1/2) .. sqrt(2); for u near 1 that is u itself, and small logarithms keep their digits.
  number[0] = word + 0.5;
  const above = halves[1]! - LEAST_HALF;
  halves[1] = (above & 0xfffff) + LEAST;
  const m = number[0];
  const halvings = 33 - (above >>> 20);
  const s = (m - 1) / (m + 1);
  return Math.sqrt(halvings * (2 * Math.LN2) - s * 4 * polynomial(s * s, PAIR_LOG));
}

/**
 * The float32 normals radius cos(angle) and radius sin(angle) for an angle of word / 2^32 turns. Quarter turns are taken out in integers, so that the
 * polynomials see the exact remainder.
 */
export function rotate(radius: number, word: number, out: Float32Array, at: number): void {
  const quadrant = (word + 0x20000000) >>> 30;
  const x = ((word - (quadrant << 30)) | 0) * RADIANS;
  const y = x * x;
  const cosine = radius * polynomial(y, COSINE);
  const sine = radius * x * polynomial(y, SINE);
  // (c, s) -> (-s, c) -> (-c, -s) -> (s, -c)
  const odd = (quadrant & 1) !== 0;
  const first = odd ? sine : cosine;
  const second = odd ? cosine : sine;
  out[at] = ((quadrant + 1) & 2) !== 0 ? -first : first;
  out[at + 1] = (quadrant & 2) !== 0 ? -second : second;
}

/**
 * Four float32 normals (Box & Muller 1958) for each counter. Nothing but operations that IEEE 754 defines to the last bit, so that every host gives the
 * same numbers; Math.log and Math.cos are each host's own.
 *
 * @param out [4 * count], replaced
 */
export function normalPairs(out: Float32Array, { first, count, domain, identity }: CounterRange): void {
  const block: PhiloxBlock = new Uint32Array(4);
  const [key0, key1, upper0, upper1] = identity;
  for (let i = 0; i < count; i++) {
    const index = first + i;
    block[0] = index % 2 ** 32;
    block[1] = Math.floor(index / 2 ** 32) + domain * 2 ** 24;
    block[2] = upper0!;
    block[3] = upper1!;
    philox(block, key0!, key1!);
    rotate(radiusOf(block[0]!), block[1]!, out, 4 * i);
    rotate(radiusOf(block[2]!), block[3]!, out, 4 * i + 2);
  }
}
