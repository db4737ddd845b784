/** Numbers that a loop reads from memory: V8 makes every vector constant anew where it is used, in up to four instructions. */
const FLOATS = memory.data<f64>([
  // See PAIR_LOG, SINE and COSINE in src/random/normal-pairs.ts.
  0.9999999999999736, 0.3333333333979046, 0.19999997445651485, 0.14286083101745892, 0.11087123695691475, 0.09804066846981405,
  0.9999999999999957, -0.16666666666616686, 0.00833333332387815, -0.00019841263298390487, 2.755527189338574e-6, -2.4756558771686467e-8,
  0.9999999999999444, -0.49999999999351113, 0.04166666654391119, -0.0013888880393776398, 2.4798928755318372e-5, -2.717342984064137e-7,
  0.5, 1, 4,
  // 2^52 + 33; 2 log 2; 2 pi / 2^32
  4503599627370529, 1.3862943611198906, 1.4629180792671596e-9,
]);

export const LOG: i32 = 0;
export const SINE: i32 = 6;
export const COSINE: i32 = 12;
export const HALF: i32 = 18;
export const ONE: i32 = 19;
export const FOUR: i32 = 20;
export const TWO_52_AND_33: i32 = 21;
export const TWO_LOG_2: i32 = 22;
export const RADIANS: i32 = 23;

/** Bits of float64: sqrt(1/2) / 2 rounded to 20 bits of mantissa, the mantissa, twice the first, 2^52. */
const BITS = memory.data<u64>([0x3fd6a09f00000000, 0x000fffffffffffff, 0x3fe6a09f00000000, 0x4330000000000000]);

export const LEAST_HALF: i32 = 0;
export const MANTISSA: i32 = 1;
export const LEAST: i32 = 2;
export const TWO_52: i32 = 3;

@inline
export function float(index: i32): v128 {
  return v128.load64_splat(FLOATS + 8 * index);
}

@inline
export function bits(index: i32): v128 {
  return v128.load64_splat(BITS + 8 * index);
}
