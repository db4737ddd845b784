import { checkNumber } from '@langevin/tensor';
import type { Generator } from '@langevin/tensor';

const WHERE = 'core-schedules/bits-per-dimension';

export interface BitsPerDimensionOptions {
  /** Elements of one item. */
  readonly dimensions: number;
  /** Values of an element before dequantisation, that [-1, 1] holds. @default 256 */
  readonly values?: number;
}

/**
 * The natural log of a density of images in [-1, 1] as bits per dimension of their 8-bit pixels: -log2 p / D + log2(128), the last from the
 * width 1/128 of a pixel's value. With dequantised images it is a bound on the code length of the pixels (Theis et al. 2016,
 * arXiv:1511.01844, section 3.1).
 *
 * @example
 * // Data that are all at one of 256 equally likely values, in -1..1: density 1/2.
 * bitsPerDimension(Math.log(1 / 2), { dimensions: 1 }); // => 8
 */
export function bitsPerDimension(logDensity: number, { dimensions, values = 256 }: BitsPerDimensionOptions): number {
  checkNumber(WHERE, { dimensions }, { atLeast: 1, kind: 'integer' });
  checkNumber(WHERE, { values }, { atLeast: 2, kind: 'integer' });
  return -logDensity / (dimensions * Math.LN2) + Math.log2(values / 2);
}

/**
 * 8-bit pixels with uniform noise that fills their bins, in [-1, 1): 2 (v + u) / 256 - 1.
 *
 * @example
 * dequantise(Uint8Array.of(0, 255), torchGenerator(0)).length; // => 2
 */
export function dequantise(pixels: Uint8Array | Uint8ClampedArray, generator: Generator): Float64Array {
  const noise = generator.uniform64(pixels.length);
  return noise.map((u, i) => (2 * (pixels[i]! + u)) / 256 - 1);
}
