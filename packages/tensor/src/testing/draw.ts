import { hostFromNumbers, type DType, type HostArray } from '../dtype.ts';
import type { ValueInfo } from '../graph/graph.ts';
import { counterGenerator } from '../random/index.ts';
import { sizeOf, type Shape } from '../shape.ts';

/** An argument of a row's function. */
export interface RowInput extends ValueInfo {
  readonly data: HostArray;
}

/**
 * Random inputs of a row, the same for every engine. Floats are multiples of 2^-8 and at most 4 in magnitude: they, and they plus or
 * minus a step of {@link DIFFERENCE_STEP}, are exact in float16 and float32, so that every engine gets the very same numbers.
 */
export interface Draw {
  /** Uniform in [-2, 2]. */
  smooth(shape: Shape, dtype?: DType): RowInput;
  /** Uniform in [0.5, 2.5]. */
  positive(shape: Shape): RowInput;
  /** Magnitude in [0.25, 2], either sign: away from the kink of abs, relu and the like. */
  nonzero(shape: Shape): RowInput;
  /** All different, at least 2^-4 apart, in random order: no ties for max and sort. At most 128 elements. */
  distinct(shape: Shape): RowInput;
  /** Integers in [low, high). */
  integers(shape: Shape, range: { readonly low: number; readonly high: number }, dtype?: DType): RowInput;
  /** Random bools. */
  flags(shape: Shape): RowInput;
  /** These very numbers. */
  of(values: readonly number[], shape?: Shape, dtype?: DType): RowInput;
}

/** Twice this is less than what keeps `nonzero` from 0 and `distinct` values apart. */
export const DIFFERENCE_STEP = 2 ** -6;

const GRID = 2 ** 8;

/** A stream of its own for each name. */
export function drawFor(name: string): Draw {
  const random = counterGenerator({ seed: 2026, stream: [...name].slice(0, 64).map((letter) => letter.codePointAt(0)!) });
  const of = (values: ArrayLike<number>, shape: Shape = [values.length], dtype: DType = 'float32'): RowInput => ({
    shape,
    dtype,
    data: hostFromNumbers(dtype, values),
  });
  const uniform = (shape: Shape, low: number, high: number): number[] =>
    Array.from(random.uniform(sizeOf(shape)), (u) => Math.round((low + (high - low) * u) * GRID) / GRID);
  return {
    smooth: (shape, dtype) => of(uniform(shape, -2, 2), shape, dtype),
    positive: (shape) => of(uniform(shape, 0.5, 2.5), shape),
    nonzero: (shape) =>
      of(
        uniform(shape, -1.75, 1.75).map((v) => (v < 0 ? v - 0.25 : v + 0.25)),
        shape,
      ),
    distinct: (shape) =>
      of(
        Array.from(random.permutation(sizeOf(shape)), (rank) => (rank - Math.floor(sizeOf(shape) / 2)) / 16),
        shape,
      ),
    integers: (shape, range, dtype = 'int32') => of(Array.from(random.integers(sizeOf(shape), range)), shape, dtype),
    flags: (shape) => of(Array.from(random.integers(sizeOf(shape), { low: 0, high: 2 })), shape, 'bool'),
    of,
  };
}
