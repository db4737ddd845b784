const TURN_32 = Math.fround(2 * Math.PI);
const PER_RADIAN = 1 / (2 * Math.PI);

/** Pivots 1, 1 + 1/128, ..., 2 of {@link logGrid}: logarithm and reciprocal of each. */
export const PIVOT_LOG = Float64Array.from({ length: 129 }, (_, i) => Math.log(1 + i / 128));
export const PIVOT_INVERSE = Float64Array.from({ length: 129 }, (_, i) => 1 / (1 + i / 128));
const POWER = Float64Array.from({ length: 25 }, (_, i) => 2 ** -i);

/**
 * log(m / 2^24) for an integer m in 1 .. 2^24, to a relative 1e-13: the values that one minus a float32 uniform can take.
 *
 * The nearest pivot leaves |r| <= 2^-8 for the series. Near m = 2^24 the pivots are 1 and 2, where all large terms cancel
 * exactly, so small logarithms keep their digits and zero stays zero.
 */
function logGrid(m: number): number {
  const exponent = 31 - Math.clz32(m);
  const mantissa = m * POWER[exponent]!;
  const pivot = ((mantissa - 1) * 128 + 0.5) | 0;
  const r = mantissa * PIVOT_INVERSE[pivot]! - 1;
  return (exponent - 24) * Math.LN2 + PIVOT_LOG[pivot]! + r * (1 + r * (-1 / 2 + r * (1 / 3 + r * (-1 / 4 + r * (1 / 5 - r / 6)))));
}

/**
 * Turns pairs of uniforms into normals (Box & Muller 1958), in place, in PyTorch's layout: inside each block of 16 the
 * uniforms j and j + 8 make the normals j and j + 8.
 *
 * The float32 form rounds the angle to float32 as PyTorch does, and takes sine and cosine from one pair of Taylor
 * polynomials after reduction to an eighth of a turn (truncation error < 1e-11), which is faster than Math.sin and Math.cos.
 *
 * @param data uniforms in [0, 1), multiples of 2^-24; the values from `start` to `start + 16 * blocks` are replaced
 */
export function normalBlocks32(data: Float32Array, { start, blocks }: { readonly start: number; readonly blocks: number }): void {
  const end = start + 16 * blocks;
  for (let block = start; block < end; block += 16) {
    for (let j = block; j < block + 8; j++) {
      const radius = Math.sqrt(-2 * logGrid((1 - data[j]!) * 2 ** 24));
      const turns = Math.fround(TURN_32 * data[j + 8]!) * PER_RADIAN;
      const quadrant = (4 * turns + 0.5) | 0;
      const x = (turns - 0.25 * quadrant) * (2 * Math.PI);
      const q = x * x;
      const sine = x * (1 + q * (-1 / 6 + q * (1 / 120 + q * (-1 / 5040 + q * (1 / 362880 - q / 39916800)))));
      const cosine = 1 + q * (-1 / 2 + q * (1 / 24 + q * (-1 / 720 + q * (1 / 40320 + q * (-1 / 3628800 + q / 479001600)))));
      // Rotating by quarter turns: (c, s) -> (-s, c) -> (-c, -s) -> (s, -c).
      const swap = (quadrant & 1) !== 0;
      const first = swap ? sine : cosine;
      const second = swap ? cosine : sine;
      data[j] = radius * (((quadrant + 1) & 2) !== 0 ? -first : first);
      data[j + 8] = radius * ((quadrant & 2) !== 0 ? -second : second);
    }
  }
}

/** The float64 form of {@link normalBlocks32}, with the host's logarithm, sine and cosine, for any uniforms in [0, 1). */
export function normalBlocks64(data: Float64Array, { start, blocks }: { readonly start: number; readonly blocks: number }): void {
  const end = start + 16 * blocks;
  for (let block = start; block < end; block += 16) {
    for (let j = block; j < block + 8; j++) {
      const radius = Math.sqrt(-2 * Math.log(1 - data[j]!));
      const angle = 2 * Math.PI * data[j + 8]!;
      data[j] = radius * Math.cos(angle);
      data[j + 8] = radius * Math.sin(angle);
    }
  }
}
