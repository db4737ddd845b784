/** Blocks that one call takes at most. */
const CAPACITY: i32 = 1024;

/** Uniforms, and then normals: 16 to a block. */
export const BLOCKS = memory.data(CAPACITY * 64, 16);

/** Logarithm and reciprocal of each pivot 1, 1 + 1/128, ..., 2, side by side: the host fills them in, so that they are its own. */
export const PIVOTS = memory.data(129 * 16, 16);

@inline
function two(value: f64): v128 {
  return f64x2.splat(value);
}

/** a + b * c */
@inline
function plus(a: f64, b: v128, c: v128): v128 {
  return f64x2.add(two(a), f64x2.mul(b, c));
}

/**
 * `normalBlocks32` of src/random/box-muller.ts, two pairs at a time: the same operations of float64 in the same order, and so the same
 * bits.
 *
 * @param blocks 1..1024: float32 uniforms in [0, 1), multiples of 2^-24, at BLOCKS
 */
export function torchBlocks(blocks: i32): void {
  for (let block = BLOCKS, end = BLOCKS + ((<usize>blocks) << 6); block < end; block += 64) {
    for (let at = block; at < block + 32; at += 8) {
      // log(m / 2^24) by the nearest pivot.
      const m = f64x2.mul(f64x2.sub(two(1), f64x2.promote_low_f32x4(v128.load64_zero(at))), two(16777216));
      const high = i64x2.shr_u(m, 52);
      const exponent = f64x2.convert_low_i32x4_s(v128.shuffle<i32>(high, high, 0, 2, 0, 2));
      const mantissa = v128.or(v128.and(m, i64x2.splat(0x000fffffffffffff)), two(1));
      const pivot = i32x4.trunc_sat_f64x2_s_zero(f64x2.add(f64x2.mul(f64x2.sub(mantissa, two(1)), two(128)), two(0.5)));
      const first = v128.load(PIVOTS + ((<usize>i32x4.extract_lane(pivot, 0)) << 4));
      const second = v128.load(PIVOTS + ((<usize>i32x4.extract_lane(pivot, 1)) << 4));
      const r = f64x2.sub(f64x2.mul(mantissa, v128.shuffle<i64>(first, second, 1, 3)), two(1));
      const series = f64x2.mul(
        r,
        plus(1, r, plus(-1.0 / 2.0, r, plus(1.0 / 3.0, r, plus(-1.0 / 4.0, r, f64x2.sub(two(1.0 / 5.0), f64x2.div(r, two(6))))))),
      );
      const whole = f64x2.mul(f64x2.sub(exponent, two(1023 + 24)), two(0.6931471805599453));
      const logarithm = f64x2.add(f64x2.add(whole, v128.shuffle<i64>(first, second, 0, 2)), series);
      const radius = f64x2.sqrt(f64x2.mul(two(-2), logarithm));

      const angle = f64x2.promote_low_f32x4(f32x4.mul(f32x4.splat(6.2831854820251465), v128.load64_zero(at, 32)));
      const turns = f64x2.mul(angle, two(0.15915494309189535));
      const quarters = i32x4.trunc_sat_f64x2_s_zero(f64x2.add(f64x2.mul(two(4), turns), two(0.5)));
      const x = f64x2.mul(f64x2.sub(turns, f64x2.mul(two(0.25), f64x2.convert_low_i32x4_s(quarters))), two(6.283185307179586));
      const q = f64x2.mul(x, x);
      const sine = f64x2.mul(
        x,
        plus(
          1,
          q,
          plus(-1.0 / 6.0, q, plus(1.0 / 120.0, q, plus(-1.0 / 5040.0, q, f64x2.sub(two(1.0 / 362880.0), f64x2.div(q, two(39916800)))))),
        ),
      );
      const cosine = plus(
        1,
        q,
        plus(
          -1.0 / 2.0,
          q,
          plus(
            1.0 / 24.0,
            q,
            plus(-1.0 / 720.0, q, plus(1.0 / 40320.0, q, f64x2.add(two(-1.0 / 3628800.0), f64x2.div(q, two(479001600))))),
          ),
        ),
      );
      const quadrant = i64x2.extend_low_i32x4_s(quarters);
      const swap = v128.and(v128.xor(sine, cosine), i64x2.shr_s(i64x2.shl(quadrant, 63), 63));
      const a = v128.xor(v128.xor(cosine, swap), i64x2.shl(i64x2.shr_u(i64x2.add(quadrant, i64x2.splat(1)), 1), 63));
      const b = v128.xor(v128.xor(sine, swap), i64x2.shl(i64x2.shr_u(quadrant, 1), 63));
      v128.store64_lane(at, f32x4.demote_f64x2_zero(f64x2.mul(radius, a)), 0);
      v128.store64_lane(at, f32x4.demote_f64x2_zero(f64x2.mul(radius, b)), 0, 32);
    }
  }
}
