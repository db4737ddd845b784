/**
 * The set of primitives: every op an engine must know, with its parameters. Engines' lowering tables are typed over
 * {@link PrimitiveName}, so that a missing entry is a compile error. Axes are non-negative here; `infer` normalised them.
 */

export type NoParams = Readonly<Record<never, never>>;

export interface ReduceParams {
  readonly axes: readonly number[];
  readonly keepDims: boolean;
}

export interface AxisParams {
  readonly axis: number;
}

/** Spatial geometry of a convolution over x [N, C, ...spatial] with a kernel [O, C/groups, ...kernel]. */
export interface ConvParams {
  readonly strides: readonly number[];
  /** Zeros before and after each spatial axis. */
  readonly padding: readonly (readonly [before: number, after: number])[];
  readonly dilations: readonly number[];
  readonly groups: number;
}

export interface PrimitiveParams {
  // elementwise, one operand; float unless said
  neg: NoParams;
  abs: NoParams;
  /** -1, 0 or 1; NaN of NaN. */
  sign: NoParams;
  exp: NoParams;
  log: NoParams;
  sqrt: NoParams;
  sin: NoParams;
  cos: NoParams;
  atan: NoParams;
  tanh: NoParams;
  sigmoid: NoParams;
  erf: NoParams;
  floor: NoParams;
  ceil: NoParams;
  /** Half to even. */
  round: NoParams;
  /** bool -> bool. */
  logicalNot: NoParams;
  /** To another dtype; float to integer truncates towards zero, anything to bool is `!= 0`. */
  cast: { readonly dtype: import('../dtype.ts').DType };

  // elementwise, two operands of one dtype, broadcast by NumPy's rule
  add: NoParams;
  sub: NoParams;
  mul: NoParams;
  /** Integers truncate towards zero. */
  div: NoParams;
  /** As C's: 1 to any power is 1, and so is anything to the power 0, NaN included. */
  pow: NoParams;
  /** NaN where one operand is. */
  maximum: NoParams;
  /** NaN where one operand is. */
  minimum: NoParams;
  /** -> bool. */
  equal: NoParams;
  /** a < b -> bool. */
  less: NoParams;
  /** a <= b -> bool. */
  lessEqual: NoParams;
  /** bool, bool -> bool. */
  logicalAnd: NoParams;
  /** bool, bool -> bool. */
  logicalOr: NoParams;
  /** (condition bool, a, b), all broadcast together. */
  where: NoParams;

  // along axes
  /** Added in blocks or pairs: within 2^-20 for equal terms, however many they are. */
  sum: ReduceParams;
  /** NaN where there is one. */
  max: ReduceParams;
  /** Index (int32) of the first largest element, NaN being the largest; the axis is dropped. */
  argMax: AxisParams;
  /** Inclusive running sum, added as `sum` is. */
  cumsum: AxisParams & { readonly direction: 'forward' | 'reverse' };
  /** Indices (int32) of the k largest or smallest along an axis, in order; equal elements by rising index, NaN above infinity. */
  topKIndices: AxisParams & { readonly k: number; readonly order: 'largest' | 'smallest' };

  // shape; any dtype
  reshape: { readonly shape: readonly number[] };
  /** Output axis i is input axis permutation[i]. */
  transpose: { readonly permutation: readonly number[] };
  broadcastTo: { readonly shape: readonly number[] };
  /** Elements start, start + step, ... (step >= 1), `sizes` of them, on every axis. */
  slice: { readonly starts: readonly number[]; readonly sizes: readonly number[]; readonly steps: readonly number[] };
  /** A constant border. */
  pad: { readonly padding: readonly (readonly [before: number, after: number])[]; readonly value: number };
  /** One or more operands. */
  concat: AxisParams;
  flip: { readonly axes: readonly number[] };

  // indexing; indices int32, in [0, n)
  /** (x, indices of any rank): the axis is replaced by the axes of `indices`. */
  gather: AxisParams;
  /** Adjoint of gather: (updates, indices) -> zeros with `size` along the axis, updates added at their indices. */
  scatterAdd: AxisParams & { readonly size: number };
  /** (x, indices of x's rank): out[.., i, ..] = x[.., indices[.., i, ..], ..]. */
  gatherElements: AxisParams;
  /** Adjoint of gatherElements: (updates, indices of the same shape) -> zeros with `size` along the axis. */
  scatterElementsAdd: AxisParams & { readonly size: number };

  // linear algebra
  /** (a [..., M, K], b [..., K, N]) with leading axes broadcast; a flag reads that operand's last two axes swapped. */
  matmul: { readonly transposeA: boolean; readonly transposeB: boolean };
  /** (x [N, C, ...], w [O, C/groups, ...k]) -> [N, O, ...out], cross-correlation, 1 to 3 spatial axes. */
  conv: ConvParams;
  /** Adjoint of conv in x: (g [N, O, ...out], w [O, C/groups, ...k]) -> [N, C, ...spatial]. */
  convInputGrad: ConvParams & { readonly spatial: readonly number[] };
  /** Adjoint of conv in w: (x, g) -> [O, C/groups, ...kernel]. */
  convWeightGrad: ConvParams & { readonly kernel: readonly number[] };

  // normalisation
  softmax: AxisParams;
  /**
   * (x) -> [y, mean, inverseDeviation] over the last `axes` axes (as a count): y = (x - mean) * inverseDeviation,
   * inverseDeviation = 1/sqrt(variance + epsilon); the last two have size 1 on those axes.
   */
  normalize: { readonly axes: number; readonly epsilon: number };

  // scheduling
  /** (x, token) -> x, computed after the token: keeps recomputed values from being merged with the first ones. */
  barrier: NoParams;
}

export type PrimitiveName = keyof PrimitiveParams;

/**
 * Ops that have a definition in primitives, which an engine may run as one kernel instead. Engines list those they know in
 * `composites`; all others are expanded before the engine sees the graph, and so is each one that is differentiated through.
 */
export interface CompositeParams {
  /** x * sigmoid(x). */
  silu: NoParams;
  /** x * Phi(x) by erf, or the tanh approximation. */
  gelu: { readonly approximation: 'none' | 'tanh' };
  /** (q [B, H, L, D], k [B, H, S, D], v [B, H, S, E], mask? added to the logits, broadcast to [B, H, L, S]) -> [B, H, L, E]. */
  attention: { readonly scale: number };
  /** (x [N, C, ...], scale [C], bias [C]). */
  groupNorm: { readonly groups: number; readonly epsilon: number };
  /** x [N, C, ...spatial]; padding counts as -infinity, and a window that holds NaN gives NaN. */
  maxPool: PoolParams;
  /** x [N, C, ...spatial]; padding counts as zeros and in the divisor. */
  avgPool: PoolParams;
  /** (x) recomputed in the backward pass; see `checkpoint`. */
  checkpoint: { readonly id: number };
}

export interface PoolParams {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly padding: readonly (readonly [before: number, after: number])[];
}

export type CompositeName = keyof CompositeParams;
export type OpName = PrimitiveName | CompositeName;
export type OpParams = PrimitiveParams & CompositeParams;
