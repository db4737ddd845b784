import {
  cast,
  concat,
  einsum,
  isFloating,
  matmul,
  mul,
  reshape,
  sameShape,
  scalar,
  showShape,
  slice,
  transpose,
  UserError,
  type Tensor,
} from '@langevin/tensor';

/**
 * A product of two small factors, `up` [out, r] and `down` [r, in] (Hu et al. 2021, arXiv:2106.09685). Of a convolution `up` is
 * [out, r, 1, 1] and `down` [r, in, k, k]; with `mid` [r, r, k, k] between them (Tucker's form), `down` is [r, in, 1, 1].
 */
export interface LowRankDelta {
  readonly kind: 'low-rank';
  readonly up: Tensor;
  readonly down: Tensor;
  readonly mid?: Tensor;
}

/** A matrix as it is, or as a product a b; with a core `t` [r, r, k, k] of a convolution, as Tucker's sum of t_ij a_i b_j. */
export type Factor = Tensor | { readonly a: Tensor; readonly b: Tensor; readonly t?: Tensor };

/** The elementwise product of two of low rank (LoHa; Hyeon-Woo et al. 2022, arXiv:2108.06098). */
export interface HadamardDelta {
  readonly kind: 'hadamard';
  readonly w1: Factor;
  readonly w2: Factor;
}

/** The Kronecker product of a small matrix and a large one (LoKr; Yeh et al. 2023, arXiv:2309.14859). */
export interface KroneckerDelta {
  readonly kind: 'kronecker';
  readonly w1: Factor;
  readonly w2: Factor;
}

/** A delta of the weight's own shape. */
export interface FullDelta {
  readonly kind: 'full';
  readonly diff: Tensor;
}

/** What an adapter adds to one parameter. */
export type WeightDelta = (LowRankDelta | HadamardDelta | KroneckerDelta | FullDelta) & {
  /** Factor of the delta, alpha / r in files. @default 1 */
  readonly scale?: number;
  /** Which rows of the delta are the parameter's, in their order, where a file has several parameters in one. @default all */
  readonly rows?: readonly { readonly from: number; readonly count: number }[];
  /**
   * DoRA (Liu et al. 2024, arXiv:2402.09353, eq. 5): the norms that W + delta is brought to, along one axis of W. PEFT and later LyCORIS
   * have one for each output, LyCORIS by default one for each input.
   */
  readonly magnitude?: { readonly vector: Tensor; readonly axis: 'output' | 'input' };
};

const WHERE = 'nn/adapters';

/**
 * The delta in float32 and in the shape of its weight, as lazy tensors: without its scale's DoRA, which needs the weight.
 *
 * @param name of the parameter, for messages
 * @throws UserError when factors do not make a delta of that shape
 * @example
 * const delta = deltaOf('to_q.weight', { kind: 'low-rank', up: ones([3, 1]), down: ones([1, 2]), scale: 0.5 }, [3, 2]);
 * await numbers(delta); // => [0.5, 0.5, 0.5, 0.5, 0.5, 0.5]
 */
export function deltaOf(name: string, delta: WeightDelta, shape: readonly number[]): Tensor {
  const { scale = 1, rows } = delta;
  if (!Number.isFinite(scale))
    throw new UserError(`[${WHERE}] scale of a delta is no number: name=${name}, scale=${scale}. Its alpha or rank is broken.`);
  const whole = unscaled(name, delta, rows === undefined ? shape : [fusedRows(delta), ...shape.slice(1)]);
  const part =
    rows === undefined
      ? whole
      : concat(
          rows.map(({ from, count }) => slice(whole, { 0: { start: from, stop: from + count } })),
          0,
        );
  if (!sameShape(part.shape, shape)) throw unfit(name, part.shape, shape);
  return scale === 1 ? part : mul(part, scalar(scale));
}

/** How many rows a delta of several parameters in one has. */
function fusedRows(delta: WeightDelta): number {
  switch (delta.kind) {
    case 'low-rank':
      return delta.up.shape[0]!;
    case 'full':
      return delta.diff.shape[0]!;
    case 'hadamard':
      return rowsOf(delta.w1);
    case 'kronecker':
      return rowsOf(delta.w1) * rowsOf(delta.w2);
  }
}

function rowsOf(factor: Factor): number {
  if (!('a' in factor)) return factor.shape[0]!;
  return factor.a.shape[factor.t === undefined ? 0 : 1]!;
}

function unscaled(name: string, delta: WeightDelta, shape: readonly number[]): Tensor {
  switch (delta.kind) {
    case 'full':
      return fitted(name, wide(delta.diff), shape);
    case 'low-rank':
      return lowRank(name, delta, shape);
    case 'hadamard':
      return mul(fitted(name, product(name, delta.w1), shape), fitted(name, product(name, delta.w2), shape));
    case 'kronecker':
      return kronecker(name, [product(name, delta.w1), product(name, delta.w2)], shape);
  }
}

function lowRank(name: string, { up, down, mid }: LowRankDelta, shape: readonly number[]): Tensor {
  const rank = down.shape[0] ?? 0;
  const [a, b] = [wide(up), wide(down)];
  if (up.rank < 2 || down.rank < 2 || up.shape[1] !== rank || up.size !== up.shape[0]! * rank)
    throw new UserError(
      `[${WHERE}] factors do not multiply: name=${name}, up=${showShape(up.shape)}, down=${showShape(down.shape)}. Both have the rank.`,
    );
  const left = reshape(a, [up.shape[0]!, rank]);
  if (mid === undefined) return fitted(name, matmul(left, reshape(b, [rank, b.size / rank])), shape);
  if (mid.rank !== 4 || mid.shape[0] !== rank || mid.shape[1] !== rank || b.size !== rank * down.shape[1]!)
    throw new UserError(
      `[${WHERE}] middle factor is not between two of 1x1: name=${name}, mid=${showShape(mid.shape)}, down=${showShape(down.shape)}. `
        + 'Its shape is [r, r, k, k].',
    );
  return fitted(name, einsum('op,pqkl,qi->oikl', left, wide(mid), reshape(b, [rank, down.shape[1]!])), shape);
}

/** A factor as one matrix, or [out, in, k, k]. */
function product(name: string, factor: Factor): Tensor {
  if (!('a' in factor)) return wide(factor);
  const { a, b, t } = factor;
  if (t !== undefined) {
    if (t.rank === 4 && a.rank === 2 && b.rank === 2 && t.shape[0] === a.shape[0] && t.shape[1] === b.shape[0])
      return einsum('ijkl,ip,jr->prkl', wide(t), wide(a), wide(b));
  } else if (a.rank === 2 && b.rank >= 2 && a.shape[1] === b.shape[0]) {
    const flat = matmul(wide(a), reshape(wide(b), [b.shape[0]!, b.size / b.shape[0]!]));
    return b.rank === 2 ? flat : reshape(flat, [a.shape[0]!, ...b.shape.slice(1)]);
  }
  throw new UserError(
    `[${WHERE}] factors do not multiply: name=${name}, a=${showShape(a.shape)}, b=${showShape(b.shape)}`
      + `${t === undefined ? '' : `, t=${showShape(t.shape)}`}. Both have the rank.`,
  );
}

/** Blocks of the second factor, each times one element of the first; a kernel belongs to the second. */
function kronecker(name: string, [first, second]: readonly [Tensor, Tensor], shape: readonly number[]): Tensor {
  const [p, q] = [first.shape[0]!, first.size / first.shape[0]!];
  const [r, s] = [shape[0]! / p, (shape[1] ?? 1) / q];
  const size = shape.slice(2).reduce((total, side) => total * side, 1);
  if (!Number.isInteger(r) || !Number.isInteger(s) || second.shape[0] !== r || second.size !== r * s * size)
    throw new UserError(
      `[${WHERE}] factors do not multiply: name=${name}, w1=${showShape(first.shape)}, w2=${showShape(second.shape)}, `
        + `weight=${showShape(shape)}. The adapter is for another model.`,
    );
  const blocks = mul(reshape(first, [p, q, 1, 1, 1]), reshape(second, [1, 1, r, s, size]));
  return reshape(transpose(blocks, [0, 2, 1, 3, 4]), shape);
}

/** The same elements in the shape of the weight, whose first axis has to stay. */
function fitted(name: string, value: Tensor, shape: readonly number[]): Tensor {
  if (sameShape(value.shape, shape)) return value;
  const size = shape.reduce((total, side) => total * side, 1);
  if (value.size !== size || value.shape[0] !== shape[0]) throw unfit(name, value.shape, shape);
  return reshape(value, shape);
}

function unfit(name: string, has: readonly number[], wants: readonly number[]): UserError {
  return new UserError(
    `[${WHERE}] delta has another shape than its weight: name=${name}, delta=${showShape(has)}, weight=${showShape(wants)}. The adapter is `
      + 'for another model.',
  );
}

/** In float32, whatever it is stored in. */
export function wide(value: Tensor): Tensor {
  if (!isFloating(value.dtype))
    throw new UserError(`[${WHERE}] an adapter's tensors are floats: dtype=${value.dtype}. The file is broken or for something else.`);
  return value.dtype === 'float32' ? value : cast(value, 'float32');
}
