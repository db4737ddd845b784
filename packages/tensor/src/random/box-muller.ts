const TURN_32 = Math.fround(2 * Math.PI);
const PER_RADIAN = 1 / (2 * Math.PI);

/**
 * Turns pairs of uniforms into normals (Box & Muller 1958), in place, in PyTorch's layout: inside each block of 16 the
 * uniforms j and j + 8 make the normals j and j + 8.
 *
 * The float32 form rounds the angle to float32 as PyTorch does, and takes sine and cosine from one pair of Taylor
 * polynomials after reduction to an eighth of a turn (truncation error < 1e-11): twice as fast as Math.sin and Math.cos.
 *
 * @param data uniforms in [0, 1); the values from `start` to `start + 16 * blocks` are replaced
 */
export function normalBlocks32(data: Float32Array, { start, blocks }: { readonly start: number; readonly blocks: number }): void {
  const end = start + 16 * blocks;
  for (let block = start; block < end; block += 16) {
    for (let j = block; j < block + 8; j++) {
      const radius = Math.sqrt(-2 * Math.log(1 - data[j]!));
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

/** The float64 form of {@link normalBlocks32}, with the host's sine and cosine. */
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
