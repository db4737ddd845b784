/**
 * The middle one of the numbers in order; of an even count the greater of the two in the middle, so that it is one of them.
 *
 * @returns NaN for an empty list
 * @example
 * median([3, 1, 2]); // => 2
 */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;
}
