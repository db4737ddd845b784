/** Numbers that a loop reads from memory: V8 makes every vector constant anew where it is used, in up to four instructions. */
const FLOATS = memory.data<f32>([
  // PAIR_LOG, SINE and COSINE of src/random/normal-pairs.ts.
  1.0, 0.3333340883255005, 0.19987425208091736, 0.1496221274137497, 1.0, -0.16666650772094727, 0.00833203550428152, -0.00019503904331941158,
  1.0, -0.5, 0.04166661575436592, -0.0013886617962270975, 2.437983130221255e-5,
  // -2^-32; 2 log 2; 2 pi / 2^32; 2^16
  0.5, 1, 2, 4, -2.3283064365386963e-10, 1.3862943649291992, 1.462918119976564e-9, 65536,
]);

export const LOG: i32 = 0;
export const SINE: i32 = 4;
export const COSINE: i32 = 8;
export const HALF: i32 = 13;
export const ONE: i32 = 14;
export const TWO: i32 = 15;
export const FOUR: i32 = 16;
export const MINUS_UNIT: i32 = 17;
export const TWO_LOG_2: i32 = 18;
export const RADIANS: i32 = 19;
export const TWO_16: i32 = 20;

/**
 * Bits of float32: sqrt(1/2) / 2, the mantissa, sqrt(1/2); then the first word of u >= sqrt(1/2), 33, and half a quarter turn; -1, the
 * lower half of a word, its sign, and the bits that number quarter turns.
 */
const BITS = memory.data<u32>([0x3eb504f3, 0x007fffff, 0x3f3504f3, 3037000500, 33, 0x20000000, 0xffffffff, 0xffff, 0x80000000, 0xc0000000]);

export const LEAST_HALF: i32 = 0;
export const MANTISSA: i32 = 1;
export const LEAST: i32 = 2;
export const NEAR_ONE: i32 = 3;
export const HALVINGS: i32 = 4;
export const EIGHTH_TURN: i32 = 5;
export const MINUS_ONE: i32 = 6;
export const LOW_HALF: i32 = 7;
export const SIGN: i32 = 8;
export const QUARTERS: i32 = 9;

@inline
export function float(index: i32): v128 {
  return v128.load32_splat(FLOATS + 4 * index);
}

@inline
export function bits(index: i32): v128 {
  return v128.load32_splat(BITS + 4 * index);
}
