import type { DType } from '../dtype.ts';
import type { OpName } from '../graph/primitives.ts';
import type { Shape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import type { Draw, RowInput } from './draw.ts';
import type { Tolerance } from './tolerance.ts';

export type RowFunction = (...inputs: readonly Tensor[]) => Tensor | readonly Tensor[];

/** One thing an engine must be able to do. */
export interface ConformanceRow {
  /** Unique: `matmul: batch axes broadcast`. */
  readonly name: string;
  /** The op that the row is about; others may occur. */
  readonly op: OpName;
  readonly inputs: (draw: Draw) => readonly RowInput[];
  readonly fn: RowFunction;
  /** What the shape rule must say of the first result. */
  readonly shape: Shape;
  /** @default 'float32' */
  readonly dtype?: DType;
  /** The elements of the first result, worked out by hand: taken instead of the reference's. */
  readonly expected?: readonly number[];
  /** Up to which derivative the row is checked, or why there is none. */
  readonly gradient: 'first' | 'second' | { readonly none: string };
  readonly tolerance: Tolerance;
}

export type RowSpec = Omit<ConformanceRow, 'name' | 'op'>;

/** Rows of one op: `rowsOf('flip', { 'last axis': {...} })`. */
export function rowsOf(op: OpName, specs: Readonly<Record<string, RowSpec>>): ConformanceRow[] {
  return Object.entries(specs).map(([variant, spec]) => ({ name: `${op}: ${variant}`, op, ...spec }));
}

/** Reasons for rows without a gradient. */
export const INTEGRAL = { none: 'integers and bools have no gradient' } as const;
export const PIECEWISE_CONSTANT = { none: 'the derivative is zero wherever it exists' } as const;
export const NOT_FINITE = { none: 'infinities and NaN have no finite differences' } as const;
export const EMPTY = { none: 'there are no elements' } as const;
export const ROUNDING = { none: 'the row is about rounding' } as const;
