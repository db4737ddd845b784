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
 * Nearly minimax polynomials (interpolated at Chebyshev nodes) in the square of their argument. All arithmetic is in float32, an operation
 * at a time, so that vectors of four floats give the same bits; Math.fround() of a sum, product, quotient or root of two floats is that
 * operation.
 */

/** log((1 + s) / (1 - s)) / 2s for |s| <= 0.17158, error 7e-10. */
const PAIR_LOG = [1, 0.3333340883255005, 0.19987425208091736, 0.1496221274137497] as const;
/** sin(x) / x for |x| <= pi / 4, error 4e-9. */
const SINE = [1, -0.16666650772094727, 0.00833203550428152, -0.00019503904331941158] as const;
/** cos(x) for |x| <= pi / 4, error 1e-9: the constant, and the rest over x^2. */
const COSINE = [1, [-0.5, 0.04166661575436592, -0.0013886617962270975, 2.437983130221255e-5]] as const;

/** sqrt(1/2) / 2 as float32, where the mantissas of {@link radiusOf} begin, and twice that. */
const LEAST_HALF = 0x3eb504f3;
const LEAST = 0x3f3504f3;
/** The first word that stands for sqrt(1/2) or more. */
const NEAR_ONE = 3037000500;
const TWO_LOG_2 = f(2 * Math.LN2);
const RADIANS = f((2 * Math.PI) / 2 ** 32);

const number = new Float32Array(1);
const bits = new Int32Array(number.buffer);

function f(value: number): number {
  return Math.fround(value);
}

function cubic(x: number, c: readonly [number, number, number, number]): number {
  return f(c[0] + f(x * f(c[1] + f(x * f(c[2] + f(x * c[3]))))));
}

/** sqrt(-2 log u) for u = (word + 1/2) / 2^32, to a relative 3e-7: half a step above zero keeps the logarithm finite. */
export function radiusOf(word: number): number {
  // u = (1 + a) 2^-halvings, with 1 + a in sqrt(1/2) .. sqrt(2). Near u = 1 the float32 is of 1 - u, so that small logarithms keep their
  // digits.
  let a: number;
  let halvings = 0;
  if (word >= NEAR_ONE) {
    a = -f(f(f(~word) + 0.5) * 2 ** -32);
  } else {
    number[0] = f(word) + 0.5;
    const above = bits[0]! - LEAST_HALF;
    halvings = 33 - (above >>> 23);
    bits[0] = (above & 0x7fffff) + LEAST;
    a = number[0] - 1;
  }
  const s = f(a / f(2 + a));
  return f(Math.sqrt(f(f(halvings * TWO_LOG_2) - f(f(s * 4) * cubic(f(s * s), PAIR_LOG)))));
}

/**
 * The float32 normals radius cos(angle) and radius sin(angle) for an angle of word / 2^32 turns. Quarter turns are taken out in integers,
 * so that the polynomials see the exact remainder.
 *
 * @param pair [2], replaced
 */
export function rotate(radius: number, word: number, pair: Float32Array): void {
  const quadrant = (word + 0x20000000) >>> 30;
  const x = f(f((word - (quadrant << 30)) | 0) * RADIANS);
  const y = f(x * x);
  const cosine = radius * f(COSINE[0] + f(y * cubic(y, COSINE[1])));
  const sine = radius * f(x * cubic(y, SINE));
  // (c, s) -> (-s, c) -> (-c, -s) -> (s, -c)
  const odd = (quadrant & 1) !== 0;
  const first = odd ? sine : cosine;
  const second = odd ? cosine : sine;
  pair[0] = ((quadrant + 1) & 2) !== 0 ? -first : first;
  pair[1] = (quadrant & 2) !== 0 ? -second : second;
}

/**
 * Four float32 normals (Box & Muller 1958) for each counter. Nothing but operations that IEEE 754 defines to the last bit, so that every
 * host gives the same numbers; Math.log and Math.cos are each host's own.
 *
 * @param out [4 * count], replaced
 */
export function normalPairs(out: Float32Array, { first, count, domain, identity }: CounterRange): void {
  const block: PhiloxBlock = new Uint32Array(4);
  const [key0, key1, upper0, upper1] = identity;
  const pair = new Float32Array(2);
  for (let i = 0; i < count; i++) {
    const index = first + i;
    block[0] = index % 2 ** 32;
    block[1] = Math.floor(index / 2 ** 32) + domain * 2 ** 24;
    block[2] = upper0!;
    block[3] = upper1!;
    philox(block, key0!, key1!);
    rotate(radiusOf(block[0]!), block[1]!, pair);
    out.set(pair, 4 * i);
    rotate(radiusOf(block[2]!), block[3]!, pair);
    out.set(pair, 4 * i + 2);
  }
}
