/** Largest number of values one call may draw: bounds what a wrong or hostile count can allocate. */
export const MAX_COUNT = 2 ** 31;

/** The range of {@link Generator.integers}: `low` is included, `high` is not. */
export interface IntegerRange {
  /** Smallest value, an integer >= -2^31. */
  readonly low: number;
  /** One above the largest value, an integer in `low + 1 .. 2^31`. */
  readonly high: number;
}

/** State of a {@link torchGenerator}. */
export interface TorchState {
  readonly kind: 'torch';
  /** The 624 words of MT19937, little-endian, in base64. */
  readonly words: string;
  /** Index of the next word to hand out, 0..624 (624: a new block comes first). */
  readonly position: number;
  /** The second normal of the last scalar Box-Muller pair, when it is still to be handed out. */
  readonly cachedNormal: number | null;
}

/** State of a {@link philoxGenerator}. */
export interface PhiloxState {
  readonly kind: 'philox';
  /** Unsigned 64-bit seed, decimal (JSON numbers cannot hold it). */
  readonly seed: string;
  /** Number of draws so far. */
  readonly offset: number;
}

/** State of a {@link counterGenerator}. */
export interface CounterState {
  readonly kind: 'counter';
  /** Unsigned 64-bit seed, decimal (JSON numbers cannot hold it). */
  readonly seed: string;
  readonly stream: readonly number[];
  /** Index of the next element. */
  readonly position: number;
}

/** A plain value that survives JSON; `generatorFromState` turns it back into a generator. */
export type GeneratorState = TorchState | PhiloxState | CounterState;

/**
 * A source of random numbers that is passed in, never global.
 *
 * Drawing advances the generator in place, as in PyTorch. To branch, build a second generator from
 * `state()`: both then give the same numbers.
 *
 * Every `count` is an integer in 0..2^31; anything else throws a `UserError`.
 */
export interface Generator {
  readonly kind: GeneratorState['kind'];
  /** `count` float32 values, uniform in [0, 1). */
  uniform(count: number): Float32Array<ArrayBuffer>;
  /** `count` float64 values with 53 random bits, uniform in [0, 1). */
  uniform64(count: number): Float64Array<ArrayBuffer>;
  /** `count` float32 values from N(0, 1). */
  normal(count: number): Float32Array<ArrayBuffer>;
  /** `count` float64 values from N(0, 1). */
  normal64(count: number): Float64Array<ArrayBuffer>;
  /** `count` integers, uniform in `low .. high - 1`. */
  integers(count: number, range: IntegerRange): Int32Array<ArrayBuffer>;
  /** The numbers 0 .. n - 1 in random order; n is an integer in 0..2^31. */
  permutation(n: number): Int32Array<ArrayBuffer>;
  /** The state now; later draws do not change the value returned. */
  state(): GeneratorState;
}
