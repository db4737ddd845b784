/** A factor for the whole state, or one for each item of the batch (first axis). Host numbers in float64. */
export type Coefficient = number | readonly number[];

/** coefficient * value */
export type Term<T> = readonly [coefficient: Coefficient, value: T];

/** The tolerance of an element: max(absolute, relative times the greatest absolute value of `of` there). */
export interface ErrorScale<T> {
  readonly absolute: number;
  readonly relative: number;
  readonly of: readonly T[];
}

/**
 * What the formulas of this field need from a kind of state T: linear combinations with coefficients known on the host.
 * The same sampler then serves plain arrays, tensors on any engine, and whatever else implements these few operations.
 *
 * Values of T are never changed in place.
 */
export interface Algebra<T> {
  readonly name: string;
  /**
   * The sum of coefficient * value over at least one term. Where T is lazy, coefficients are inputs of the graph: calls that
   * differ only in them share one compilation, so the number of terms must not depend on their values.
   */
  readonly linear: (...terms: readonly Term<T>[]) => T;
  /** Runs what is pending, so that values are held and not recipes. Plain data returns at once. */
  readonly realize: (values: readonly T[]) => Promise<void>;
  /** Number of items in the batch. */
  readonly items: (x: T) => number;
  /** Number of elements in all. */
  readonly size: (x: T) => number;
  /**
   * Host numbers, row-major, as a state of the dtype of `like`, and of its shape when no other [N, ...] is given. The array may become the
   * state: it is not to be written to afterwards.
   */
  readonly fromHost: (values: Float32Array | Float64Array, like: T, shape?: readonly number[]) => T;
  /** The elements on the host, row-major, in a copy of the caller's own. */
  readonly toHost: (x: T) => Promise<Float32Array | Float64Array>;
  /** A coefficient as data [items], such as a network takes for its noise conditioning. */
  readonly perItem: (coefficient: Coefficient, like: T) => T;
  /** The elementwise product. */
  readonly multiply: (a: T, b: T) => T;
  /** The elementwise exponential. */
  readonly exp: (x: T) => T;
  /** Elements limited to -limit..limit. */
  readonly clamp: (x: T, limit: Coefficient) => T;
  /** States one after another along the batch axis, for evaluations in one batch; {@link split} takes them apart. */
  readonly concat: (states: readonly T[]) => T;
  /** The batch in `parts` equal parts, in order. */
  readonly split: (x: T, parts: number) => readonly T[];
  /** The error of each item against a tolerance, for adaptive steps; at most 1 is within it. */
  readonly scaledRms: (error: T, scale: ErrorScale<T>) => Promise<readonly number[]>;
  /** The q-quantile of the absolute values of each item, between elements linear; q in 0..1. */
  readonly absQuantile: (x: T, q: number) => Promise<readonly number[]>;
  /** What is wrong with `y` as a value of the same form as `x` (another shape, NaN where that costs nothing to see). */
  readonly complaint: (y: T, x: T) => string | undefined;
}
