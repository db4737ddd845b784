import { readFileSync } from 'node:fs';

/** Reads a golden file written by tooling/parity/random_golden.py. */
export function readGolden<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`golden/${name}.json`, import.meta.url), 'utf8')) as T;
}

/** Mean of f over values. */
export function meanOf(values: ArrayLike<number>, f: (value: number) => number = (value) => value): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += f(values[i]!);
  return sum / values.length;
}

/** Pearson's chi-square statistic of counts against equal expectation. */
export function chiSquareUniform(counts: readonly number[]): number {
  const expected = counts.reduce((a, b) => a + b, 0) / counts.length;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

/**
 * Five standard deviations above the mean of a chi-square variable: chance below 1e-4 for these degrees of freedom, and seeds are fixed.
 */
export function chiSquareLimit(degrees: number): number {
  return degrees + 5 * Math.sqrt(2 * degrees);
}

/** Counts of values in equal bins over [0, 1). */
export function histogram(values: ArrayLike<number>, bins: number): number[] {
  const counts = new Array<number>(bins).fill(0);
  for (let i = 0; i < values.length; i++) {
    const bin = Math.floor(values[i]! * bins);
    counts[bin] = counts[bin]! + 1;
  }
  return counts;
}

/** Pearson correlation of two equally long samples. */
export function correlation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const meanA = meanOf(a);
  const meanB = meanOf(b);
  let ab = 0;
  let aa = 0;
  let bb = 0;
  for (let i = 0; i < a.length; i++) {
    ab += (a[i]! - meanA) * (b[i]! - meanB);
    aa += (a[i]! - meanA) ** 2;
    bb += (b[i]! - meanB) ** 2;
  }
  return ab / Math.sqrt(aa * bb);
}
