import { bits, COSINE, float, FOUR, HALF, LEAST, LEAST_HALF, LOG, MANTISSA, ONE, RADIANS, SINE, TWO_52, TWO_52_AND_33, TWO_LOG_2 } from './table';

/** A polynomial of degree 5 whose coefficients are in the table from `from` on. */
@inline
function polynomial(x: v128, from: i32): v128 {
  const xx = f64x2.mul(x, x);
  const low = f64x2.add(float(from), f64x2.mul(x, float(from + 1)));
  const middle = f64x2.add(float(from + 2), f64x2.mul(x, float(from + 3)));
  const high = f64x2.add(float(from + 4), f64x2.mul(x, float(from + 5)));
  return f64x2.add(low, f64x2.mul(xx, f64x2.add(middle, f64x2.mul(xx, high))));
}

/** `radiusOf` of src/random/normal-pairs.ts for the two words in the lower lanes. */
@inline
function radius(words: v128): v128 {
  const v = f64x2.add(f64x2.convert_low_i32x4_u(words), float(HALF));
  const above = i64x2.sub(v, bits(LEAST_HALF));
  const m = i64x2.add(v128.and(above, bits(MANTISSA)), bits(LEAST));
  // A small integer in the low bits of 2^52 adds that integer.
  const halvings = f64x2.sub(float(TWO_52_AND_33), v128.or(i64x2.shr_u(above, 52), bits(TWO_52)));
  const one = float(ONE);
  const s = f64x2.div(f64x2.sub(m, one), f64x2.add(m, one));
  return f64x2.sqrt(f64x2.sub(f64x2.mul(halvings, float(TWO_LOG_2)), f64x2.mul(f64x2.mul(s, float(FOUR)), polynomial(f64x2.mul(s, s), LOG))));
}

/** The radius for each of `count` words, a multiple of 4. */
export function radii(words: usize, out: usize, count: i32): void {
  for (let at: usize = 0, end = <usize>count << 2; at < end; at += 16) {
    const to = out + (at << 1);
    v128.store(to, radius(v128.load64_zero(words + at)));
    v128.store(to, radius(v128.load64_zero(words + at, 8)), 16);
  }
}

@inline
function toFloat32(low: v128, high: v128): v128 {
  return v128.shuffle<i64>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 2);
}

/**
 * Both normals of each radius and word: `rotate` of src/random/normal-pairs.ts. Vectors 2 k and 2 k + 1 of the words hold words 1 and 3 of the four counters
 * of group k, and the four normals of a counter go one after another.
 *
 * @param count words, a multiple of 4
 */
export function rotate(words: usize, radii: usize, out: usize, count: i32): void {
  for (let at: usize = 0, end = <usize>count << 2; at < end; at += 16) {
    const word = v128.load(words + at);
    const quadrant = i32x4.shr_u(i32x4.add(word, i32x4.splat(0x20000000)), 30);
    const rest = i32x4.sub(word, i32x4.shl(quadrant, 30));
    const x0 = f64x2.mul(f64x2.convert_low_i32x4_s(rest), float(RADIANS));
    const x1 = f64x2.mul(f64x2.convert_low_i32x4_s(v128.shuffle<i64>(rest, rest, 1, 1)), float(RADIANS));
    const r0 = v128.load(radii + (at << 1));
    const r1 = v128.load(radii + (at << 1), 16);
    const y0 = f64x2.mul(x0, x0);
    const y1 = f64x2.mul(x1, x1);
    const c = toFloat32(f64x2.mul(r0, polynomial(y0, COSINE)), f64x2.mul(r1, polynomial(y1, COSINE)));
    const s = toFloat32(f64x2.mul(f64x2.mul(r0, x0), polynomial(y0, SINE)), f64x2.mul(f64x2.mul(r1, x1), polynomial(y1, SINE)));
    const odd = i32x4.shr_s(i32x4.shl(quadrant, 31), 31);
    const first = v128.xor(v128.bitselect(s, c, odd), i32x4.shl(v128.and(i32x4.add(quadrant, i32x4.splat(1)), i32x4.splat(2)), 30));
    const second = v128.xor(v128.bitselect(c, s, odd), i32x4.shl(v128.and(quadrant, i32x4.splat(2)), 30));
    const low = v128.shuffle<i32>(first, second, 0, 4, 1, 5);
    const high = v128.shuffle<i32>(first, second, 2, 6, 3, 7);
    const to = out + ((at >> 5) << 6) + ((at & 16) >> 1);
    v128.store64_lane(to, low, 0);
    v128.store64_lane(to, low, 1, 16);
    v128.store64_lane(to, high, 0, 32);
    v128.store64_lane(to, high, 1, 48);
  }
}
