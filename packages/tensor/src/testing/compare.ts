import { sameShape, showShape } from '../shape.ts';
import type { Result } from './program.ts';
import { errorBound, type Tolerance } from './tolerance.ts';

/** The largest difference that was found and the largest that is allowed. */
export interface Comparison {
  readonly maxError: number;
  readonly tolerance: number;
  /** What is wrong, in words; undefined when nothing is. */
  readonly problem?: string;
}

function largestFinite(values: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < values.length; i++) if (Number.isFinite(values[i])) largest = Math.max(largest, Math.abs(values[i]!));
  return largest;
}

/** 0 for equal values, NaN and infinities included; infinity where only one of them is finite. */
function difference(a: number, b: number): number {
  if (a === b || (Number.isNaN(a) && Number.isNaN(b))) return 0;
  const distance = Math.abs(a - b);
  return Number.isNaN(distance) ? Infinity : distance;
}

/** How close results have to be. */
export interface Closeness {
  readonly tolerance: Tolerance;
  readonly derivative: 0 | 1 | 2;
}

/** Compare one result with what it should be, rounding apart. */
function compareOne(found: Result, wanted: Result, { tolerance, derivative }: Closeness): Comparison {
  if (!sameShape(found.shape, wanted.shape) || found.dtype !== wanted.dtype || found.values.length !== wanted.values.length) {
    return {
      maxError: Infinity,
      tolerance: 0,
      problem:
        `result is ${found.dtype}${showShape(found.shape)} with ${found.values.length} elements, expected `
        + `${wanted.dtype}${showShape(wanted.shape)} with ${wanted.values.length}`,
    };
  }
  const bound = errorBound(tolerance, { dtype: wanted.dtype, derivative, scale: largestFinite(wanted.values) });
  let maxError = 0;
  let worst = 0;
  for (let i = 0; i < wanted.values.length; i++) {
    const error = difference(found.values[i]!, wanted.values[i]!);
    if (error > maxError) [maxError, worst] = [error, i];
  }
  if (maxError <= bound) return { maxError, tolerance: bound };
  return {
    maxError,
    tolerance: bound,
    problem:
      `element ${worst} is ${found.values[worst]}, expected ${wanted.values[worst]}: off by ${maxError.toExponential(2)}, allowed `
      + `${bound.toExponential(2)}`,
  };
}

/** Compare all results; the worst one speaks for them. */
export function compareResults(found: readonly Result[], wanted: readonly Result[], closeness: Closeness): Comparison {
  if (found.length !== wanted.length)
    return { maxError: Infinity, tolerance: 0, problem: `${found.length} results, expected ${wanted.length}` };
  const all = wanted.map((result, i) => compareOne(found[i]!, result, closeness));
  return (
    all.find(({ problem }) => problem !== undefined)
    ?? all.reduce((a, b) => (b.maxError > a.maxError ? b : a), { maxError: 0, tolerance: 0 })
  );
}
