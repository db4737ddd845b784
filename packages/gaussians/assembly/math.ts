/** Under this alpha nothing is drawn. */
export const LEAST_ALPHA: f32 = 1.0 / 255.0;
export const MOST_ALPHA: f32 = 0.99;
export const LEAST_TRANSMITTANCE: f32 = 1e-4;

/** Powers of two beyond this are of no use, and of double that none. */
const FAR: f32 = 120;
/** 1.5 * 2^23: adding it rounds to whole numbers, which are then in the lowest bits. */
const ROUND: f32 = 12582912;

/**
 * 2^x for x in [-126, 126], relative error under 2e-7: the minimax polynomial of degree 5 over [-1/2, 1/2], with the whole part put into
 * the exponent.
 */
@inline
function power(x: v128): v128 {
  const shifted = f32x4.add(x, f32x4.splat(ROUND));
  const f = f32x4.sub(x, f32x4.sub(shifted, f32x4.splat(ROUND)));
  const f2 = f32x4.mul(f, f);
  const high = f32x4.add(f32x4.splat(0.009675541334449414), f32x4.mul(f32x4.splat(0.0013276471992851953), f));
  const middle = f32x4.add(f32x4.splat(0.24022119723840105), f32x4.mul(f32x4.splat(0.05550713273496898), f));
  const low = f32x4.add(f32x4.splat(1.0000000716546849), f32x4.mul(f32x4.splat(0.6931469670647613), f));
  return i32x4.add(i32x4.shl(shifted, 23), f32x4.add(low, f32x4.mul(f2, f32x4.add(middle, f32x4.mul(f2, high)))));
}

/** 2^x, and 0 where that is next to nothing. */
@inline
export function alphaOf(x: v128): v128 {
  return v128.and(power(x), f32x4.ge(x, f32x4.splat(-FAR)));
}

/** 2^x, within what float32 can hold. */
@inline
export function ratioOf(x: v128): v128 {
  return power(f32x4.pmax(f32x4.splat(-FAR), f32x4.pmin(f32x4.splat(FAR), x)));
}

/** The sums of four vectors, as one. */
@inline
export function sums(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(v128.shuffle<f32>(a, b, 0, 4, 1, 5), v128.shuffle<f32>(a, b, 2, 6, 3, 7));
  const cd = f32x4.add(v128.shuffle<f32>(c, d, 0, 4, 1, 5), v128.shuffle<f32>(c, d, 2, 6, 3, 7));
  return f32x4.add(v128.shuffle<f32>(ab, cd, 0, 1, 4, 5), v128.shuffle<f32>(ab, cd, 2, 3, 6, 7));
}
