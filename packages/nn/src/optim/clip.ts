import {
  add,
  checkNumber,
  clamp,
  div,
  isFloating,
  lengthOf,
  mapTensors,
  minimum,
  mul,
  scalar,
  square,
  sum,
  tensorsOf,
  type NumberRange,
  type Tensor,
} from '@langevin/tensor';

/** Square root of the sum of squares of all float elements of a tree: a scalar, whose gradient at 0 is 0. */
export function globalNorm(tree: unknown): Tensor {
  const squares = tensorsOf(tree).flatMap((x) => (isFloating(x.dtype) ? [sum(square(x))] : []));
  return squares.length === 0 ? scalar(0) : lengthOf(pairwiseSum(squares));
}

/** Adding neighbours first keeps the rounding error at log2(n) steps. */
function pairwiseSum(terms: readonly Tensor[]): Tensor {
  if (terms.length === 1) return terms[0]!;
  const half = terms.length >> 1;
  return add(pairwiseSum(terms.slice(0, half)), pairwiseSum(terms.slice(half)));
}

/** A smaller limit than float32 has would be 0 or lose its digits, a larger one infinity: gradients of 0 or NaN, in silence. */
export const CLIP_LIMITS: NumberRange = { atLeast: 2 ** -126, atMost: (2 - 2 ** -23) * 2 ** 127 };

/**
 * Gradients scaled by min(1, maxNorm / (norm + 1e-6)), as `torch.nn.utils.clip_grad_norm_` does, and their norm before, for the log.
 *
 * @param maxNorm within 1.18e-38 and 3.4e38, the normal numbers of float32
 * @throws UserError when maxNorm is none of them
 */
export function clipByGlobalNorm<P>(grads: P, maxNorm: number): { readonly grads: P; readonly norm: Tensor } {
  checkNumber('nn/clipByGlobalNorm', { maxNorm }, CLIP_LIMITS);
  const norm = globalNorm(grads);
  const factor = minimum(div(maxNorm, add(norm, 1e-6)), 1);
  return { grads: mapTensors(grads, (g) => (isFloating(g.dtype) ? mul(g, factor) : g)), norm };
}

/** Every float element limited to [-limit, limit]. @throws UserError when limit is no normal, positive number of float32 */
export function clipByValue<P>(grads: P, limit: number): P {
  checkNumber('nn/clipByValue', { limit }, CLIP_LIMITS);
  return mapTensors(grads, (g) => (isFloating(g.dtype) ? clamp(g, { min: -limit, max: limit }) : g));
}
