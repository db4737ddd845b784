import { checkPair, type Pictures } from './pair.ts';

/** Peak to peak, of pictures in [-1, 1]. */
const RANGE = 2;

/**
 * Peak signal-to-noise ratio of each picture in decibels, 10 log10(range^2 / mean squared error) with a range of 2; Infinity if equal.
 *
 * @returns one number for each picture: a mean over pictures is the mean of these, not of their errors
 * @throws UserError when shapes differ, or a number is not in [-1, 1]
 * @example
 * const picture = (value: number) => ({ data: Float64Array.of(value), shape: [1, 1, 1, 1] as const });
 * psnr(picture(0.2), picture(0)); // => [20]
 */
export function psnr(a: Pictures, b: Pictures): readonly number[] {
  checkPair('psnr', a, b);
  const [count, ...rest] = a.shape;
  const size = rest.reduce((product, n) => product * n, 1);
  return Array.from({ length: count }, (_, i) => {
    let sum = 0;
    for (let k = i * size; k < (i + 1) * size; k += 1) sum += (a.data[k]! - b.data[k]!) ** 2;
    return 10 * Math.log10(RANGE ** 2 / (sum / size));
  });
}
