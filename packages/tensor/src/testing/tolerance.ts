import { isFloating, type DType } from '../dtype.ts';

/**
 * How far an engine may be from the float64 reference, in units of rounding.
 *
 * - `exact`: the op moves or compares values; not one bit may differ.
 * - `pointwise`: a few roundings for each element. 8 units leave room for vectorised exp, sin, erf, which are good to 2 to 4 units.
 * - `sums`: `terms` products are added in any order: at most `terms` units for the additions, with inputs up to 2 in magnitude (4).
 * - `blocks`: any number of terms of one sign, added in blocks or pairs. 16 units, 2^-20, are 32 additions one by one in each of a few
 *   rounds, or what PyTorch is off by.
 */
export type Tolerance = { readonly kind: 'exact' | 'pointwise' | 'blocks' } | { readonly kind: 'sums'; readonly terms: number };

export const EXACT: Tolerance = { kind: 'exact' };
export const POINTWISE: Tolerance = { kind: 'pointwise' };
export const BLOCKS: Tolerance = { kind: 'blocks' };
/** @param terms the longest sum in the value or its gradient */
export const sums = (terms: number): Tolerance => ({ kind: 'sums', terms });

/** Half the distance from 1 to the next number. */
export function unitRoundoff(dtype: DType): number {
  if (!isFloating(dtype)) return 0;
  return { float32: 2 ** -24, float16: 2 ** -11, bfloat16: 2 ** -8 }[dtype as 'float32' | 'float16' | 'bfloat16'];
}

/** Each derivative multiplies the number of operations behind an element by about four. */
const OPERATIONS_PER_DERIVATIVE = 4;

const POINTWISE_UNITS = 8;
const BLOCKS_UNITS = 16;
const UNITS_PER_TERM = 4;

export interface BoundOptions {
  readonly dtype: DType;
  /** 0 for the value, 1 for the gradient, 2 for the gradient of the gradient. */
  readonly derivative: 0 | 1 | 2;
  /** The largest finite magnitude of the result: rounding is relative to what was added up. */
  readonly scale: number;
}

/** The largest absolute difference that rounding explains. */
export function errorBound(tolerance: Tolerance, { dtype, derivative, scale }: BoundOptions): number {
  if (tolerance.kind === 'exact' && derivative === 0) return 0;
  const units =
    tolerance.kind === 'blocks' ? BLOCKS_UNITS : POINTWISE_UNITS + (tolerance.kind === 'sums' ? UNITS_PER_TERM * tolerance.terms : 0);
  return unitRoundoff(dtype) * units * OPERATIONS_PER_DERIVATIVE ** derivative * Math.max(1, scale);
}

/**
 * Difference quotients in float64, of fourth order: with steps h = 2^-10 the truncation is h^4/30 times the fifth derivative (3e-14
 * times at most 1e5 for the rows' inputs), the rounding 2^-53 / h = 1e-13. What remains is that numbers inside of a rule, like
 * 2/sqrt(pi), are float32 constants of the graph: at most four of them meet in one term, 2^-24 each.
 */
export const EXACT_DIFFERENCES = { step: 2 ** -10, relativeError: 2 ** -22 } as const;
