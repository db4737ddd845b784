import {
  bits,
  COSINE,
  EIGHTH_TURN,
  float,
  FOUR,
  HALF,
  HALVINGS,
  LEAST,
  LEAST_HALF,
  LOG,
  MANTISSA,
  NEAR_ONE,
  ONE,
  RADIANS,
  SINE,
  TWO,
  TWO_LOG_2,
  MINUS_UNIT,
  MINUS_ONE,
  LOW_HALF,
  TWO_16,
  SIGN,
  QUARTERS,
} from './table';

/** Words that {@link radii} takes at once. */
export const MOST: i32 = 512;

/** A polynomial of degree 3 whose coefficients are in the table from `from` on. */
@inline
function cubic(x: v128, from: i32): v128 {
  const high = f32x4.add(float(from + 2), f32x4.mul(x, float(from + 3)));
  return f32x4.add(float(from), f32x4.mul(x, f32x4.add(float(from + 1), f32x4.mul(x, high))));
}

/**
 * What the first loop of {@link radii} leaves to the second: two short chains of operations keep the processor busier than one long one.
 */
const MANTISSAS = memory.data(MOST << 2, 16);
const EXPONENTS = memory.data(MOST << 2, 16);

/** `radiusOf` of src/random/normal-pairs.ts for each of `count` words, a multiple of 4 and at most MOST. */
export function radii(words: usize, out: usize, count: i32): void {
  const end = (<usize>count) << 2;
  for (let at: usize = 0; at < end; at += 16) {
    const word = v128.load(words + at);
    const near = i32x4.ge_u(word, bits(NEAR_ONE));
    const below = f32x4.mul(f32x4.add(f32x4.convert_i32x4_s(i32x4.sub(bits(MINUS_ONE), word)), float(HALF)), float(MINUS_UNIT));
    // A word as the float next to it, which the host has an instruction for only where words have a sign: both halves are exact.
    const number = f32x4.add(
      f32x4.mul(f32x4.convert_i32x4_s(i32x4.shr_u(word, 16)), float(TWO_16)),
      f32x4.convert_i32x4_s(v128.and(word, bits(LOW_HALF))),
    );
    const above = i32x4.sub(f32x4.add(number, float(HALF)), bits(LEAST_HALF));
    const m = i32x4.add(v128.and(above, bits(MANTISSA)), bits(LEAST));
    v128.store(EXPONENTS + at, v128.andnot(f32x4.convert_i32x4_s(i32x4.sub(bits(HALVINGS), i32x4.shr_u(above, 23))), near));
    v128.store(MANTISSAS + at, v128.bitselect(below, f32x4.sub(m, float(ONE)), near));
  }
  for (let at: usize = 0; at < end; at += 16) {
    const a = v128.load(MANTISSAS + at);
    const s = f32x4.div(a, f32x4.add(float(TWO), a));
    const logarithm = f32x4.mul(f32x4.mul(s, float(FOUR)), cubic(f32x4.mul(s, s), LOG));
    v128.store(out + at, f32x4.sqrt(f32x4.sub(f32x4.mul(v128.load(EXPONENTS + at), float(TWO_LOG_2)), logarithm)));
  }
}

/**
 * Both normals of each radius and word: `rotate` of src/random/normal-pairs.ts. Vectors 2 k and 2 k + 1 of the words hold words 1 and 3 of
 * the four counters of group k, and the four normals of a counter go one after another.
 *
 * @param count words, a multiple of 4
 */
export function rotate(words: usize, radii: usize, out: usize, count: i32): void {
  const end = (<usize>count) << 2;
  for (let at: usize = 0; at < end; at += 16) {
    const word = v128.load(words + at);
    const radius = v128.load(radii + at);
    const turned = i32x4.add(word, bits(EIGHTH_TURN));
    const x = f32x4.mul(f32x4.convert_i32x4_s(i32x4.sub(word, v128.and(turned, bits(QUARTERS)))), float(RADIANS));
    const y = f32x4.mul(x, x);
    const s = f32x4.mul(radius, f32x4.mul(x, cubic(y, SINE)));
    const c = f32x4.mul(radius, f32x4.add(float(COSINE), f32x4.mul(y, cubic(y, COSINE + 1))));
    // Bit 30 of the quarters exchanges cosine and sine, bits 31 and 30 give their signs.
    const doubled = i32x4.shl(turned, 1);
    const swap = v128.and(v128.xor(s, c), i32x4.shr_s(doubled, 31));
    const first = v128.xor(v128.xor(c, swap), v128.and(v128.xor(turned, doubled), bits(SIGN)));
    const second = v128.xor(v128.xor(s, swap), v128.and(turned, bits(SIGN)));
    const low = v128.shuffle<i32>(first, second, 0, 4, 1, 5);
    const high = v128.shuffle<i32>(first, second, 2, 6, 3, 7);
    const to = out + ((at >> 5) << 6) + ((at & 16) >> 1);
    v128.store64_lane(to, low, 0);
    v128.store64_lane(to, low, 1, 16);
    v128.store64_lane(to, high, 0, 32);
    v128.store64_lane(to, high, 1, 48);
  }
}
