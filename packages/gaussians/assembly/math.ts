/** log2(1/255) / 8: the power under which nothing is drawn. */
export const CUTOFF: f32 = -0.9992943954;
export const MOST_ALPHA: f32 = 0.99;
export const LEAST_TRANSMITTANCE: f32 = 1e-4;

/**
 * 2^(8 y) for y in [-1, 0], relative error under 3e-6 (6e-7 where it is 1): the minimax polynomial of degree 5 for 2^y, three times squared. Outside it is
 * garbage, which callers mask.
 */
@inline
export function exp2of8(y: v128): v128 {
  const y2 = f32x4.mul(y, y);
  const high = f32x4.add(f32x4.splat(0.009188612), f32x4.mul(f32x4.splat(0.00093878835), y));
  const middle = f32x4.add(f32x4.splat(0.2401722), f32x4.mul(f32x4.splat(0.055279724), y));
  const low = f32x4.add(f32x4.splat(0.99999994), f32x4.mul(f32x4.splat(0.69314224), y));
  let p = f32x4.add(low, f32x4.mul(y2, f32x4.add(middle, f32x4.mul(y2, high))));
  p = f32x4.mul(p, p);
  p = f32x4.mul(p, p);
  return f32x4.mul(p, p);
}

/** The sums of four vectors, as one. */
@inline
export function sums(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(v128.shuffle<f32>(a, b, 0, 4, 1, 5), v128.shuffle<f32>(a, b, 2, 6, 3, 7));
  const cd = f32x4.add(v128.shuffle<f32>(c, d, 0, 4, 1, 5), v128.shuffle<f32>(c, d, 2, 6, 3, 7));
  return f32x4.add(v128.shuffle<f32>(ab, cd, 0, 1, 4, 5), v128.shuffle<f32>(ab, cd, 2, 3, 6, 7));
}

/** Where the blocks of a tile begin: x and y of each. */
export const PLACES: usize = memory.data<f32>([
  0, 0, 4, 0, 8, 0, 12, 0, 0, 2, 4, 2, 8, 2, 12, 2, 0, 4, 4, 4, 8, 4, 12, 4, 0, 6, 4, 6, 8, 6, 12, 6,
  0, 8, 4, 8, 8, 8, 12, 8, 0, 10, 4, 10, 8, 10, 12, 10, 0, 12, 4, 12, 8, 12, 12, 12, 0, 14, 4, 14, 8, 14, 12, 14,
]);
