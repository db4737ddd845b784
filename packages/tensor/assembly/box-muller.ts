import { bits, COSINE, EIGHTH_TURN, float, FOUR, HALF, HALVINGS, LEAST, LEAST_HALF, LOG, MANTISSA, NEAR_ONE, ONE, RADIANS, SINE, TWO, TWO_LOG_2, UNIT } from './table';

/** A polynomial of degree 3 whose coefficients are in the table from `from` on. */
@inline
function cubic(x: v128, from: i32): v128 {
  const high = f32x4.add(float(from + 2), f32x4.mul(x, float(from + 3)));
  return f32x4.add(float(from), f32x4.mul(x, f32x4.add(float(from + 1), f32x4.mul(x, high))));
}

/** `radiusOf` of src/random/normal-pairs.ts for each of `count` words, a multiple of 4. */
export function radii(words: usize, out: usize, count: i32): void {
  for (let at: usize = 0, end = <usize>count << 2; at < end; at += 16) {
    const word = v128.load(words + at);
    const near = i32x4.ge_u(word, bits(NEAR_ONE));
    const below = f32x4.mul(f32x4.add(f32x4.convert_i32x4_s(v128.not(word)), float(HALF)), float(UNIT));
    const above = i32x4.sub(f32x4.add(f32x4.convert_i32x4_u(word), float(HALF)), bits(LEAST_HALF));
    const m = i32x4.add(v128.and(above, bits(MANTISSA)), bits(LEAST));
    const halvings = v128.andnot(f32x4.convert_i32x4_s(i32x4.sub(bits(HALVINGS), i32x4.shr_u(above, 23))), near);
    const a = v128.bitselect(f32x4.neg(below), f32x4.sub(m, float(ONE)), near);
    const s = f32x4.div(a, f32x4.add(float(TWO), a));
    const logarithm = f32x4.mul(f32x4.mul(s, float(FOUR)), cubic(f32x4.mul(s, s), LOG));
    v128.store(out + at, f32x4.sqrt(f32x4.sub(f32x4.mul(halvings, float(TWO_LOG_2)), logarithm)));
  }
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
    const radius = v128.load(radii + at);
    const quadrant = i32x4.shr_u(i32x4.add(word, bits(EIGHTH_TURN)), 30);
    const x = f32x4.mul(f32x4.convert_i32x4_s(i32x4.sub(word, i32x4.shl(quadrant, 30))), float(RADIANS));
    const y = f32x4.mul(x, x);
    const s = f32x4.mul(radius, f32x4.mul(x, cubic(y, SINE)));
    const c = f32x4.mul(radius, f32x4.add(float(COSINE), f32x4.mul(y, cubic(y, COSINE + 1))));
    const odd = i32x4.shr_s(i32x4.shl(quadrant, 31), 31);
    const signOfFirst = i32x4.shl(v128.and(i32x4.add(quadrant, i32x4.splat(1)), i32x4.splat(2)), 30);
    const signOfSecond = i32x4.shl(v128.and(quadrant, i32x4.splat(2)), 30);
    const first = v128.xor(v128.bitselect(s, c, odd), signOfFirst);
    const second = v128.xor(v128.bitselect(c, s, odd), signOfSecond);
    const low = v128.shuffle<i32>(first, second, 0, 4, 1, 5);
    const high = v128.shuffle<i32>(first, second, 2, 6, 3, 7);
    const to = out + ((at >> 5) << 6) + ((at & 16) >> 1);
    v128.store64_lane(to, low, 0);
    v128.store64_lane(to, low, 1, 16);
    v128.store64_lane(to, high, 0, 32);
    v128.store64_lane(to, high, 1, 48);
  }
}
