import type { Algebra, Coefficient } from '@langevin/core';
import {
  abs,
  add,
  concat,
  data,
  div,
  exp,
  hostFromNumbers,
  maximum,
  mean,
  minimum,
  mul,
  neg,
  numbersFromHost,
  quantile,
  realize,
  reshape,
  scalar,
  showShape,
  sameShape,
  split,
  sqrt,
  square,
  tensor,
  Tensor,
  UserError,
} from '@langevin/tensor';
import type { Engine } from '@langevin/tensor';
import { checkParts, checkQuantile } from './check.ts';

export interface TensorAlgebraOptions {
  /** Where pending graphs run. @default the engine that holds the state, else the default engine */
  readonly engine?: Engine;
}

/**
 * States as lazy tensors [N, ...]: the state stays on its engine, and coefficients are graph inputs, so that one compiled graph
 * serves all steps of a sampler.
 *
 * @example
 * const algebra = tensorAlgebra();
 * const x = tensor([[1, 2]]);
 * await numbers(algebra.linear([2, x], [-1, tensor([[1, 1]])])); // => [1, 3]
 */
export function tensorAlgebra(options: TensorAlgebraOptions = {}): Algebra<Tensor> {
  const items = (x: Tensor): number => {
    if (x.rank === 0) throw new UserError('[core-schedules/algebra] a state has a batch axis: shape=[]. Pass a tensor [N, ...].');
    return x.shape[0]!;
  };
  /** A scalar, or [N, 1, ...], in the dtype of the state. */
  const factor = (coefficient: Coefficient, like: Tensor): Tensor => {
    if (typeof coefficient === 'number') return scalar(coefficient, like.dtype);
    if (coefficient.length !== items(like)) {
      throw new UserError(
        `[core-schedules/algebra] one coefficient for each item: coefficients=${coefficient.length}, `
          + `shape=${showShape(like.shape)}. Pass a number, or as many as there are items.`,
      );
    }
    return tensor(hostFromNumbers(like.dtype, coefficient), {
      dtype: like.dtype,
      shape: like.shape.map((_, axis) => (axis === 0 ? coefficient.length : 1)),
    });
  };
  /** Each item as one row. */
  const rows = (x: Tensor): Tensor => reshape(x, [items(x), x.size / items(x)]);
  const numbers = async (x: Tensor): Promise<number[]> => Array.from(numbersFromHost(x.dtype, await data(x, options)));
  const algebra: Algebra<Tensor> = {
    name: 'tensors',
    linear: (...terms) => {
      if (terms.length === 0)
        throw new UserError('[core-schedules/algebra] a linear combination needs a term: terms=0. Pass at least one.');
      return terms.map(([coefficient, value]) => mul(value, factor(coefficient, value))).reduce(add);
    },
    realize: (values) => realize(values, options),
    items,
    size: (x) => x.size,
    fromHost: (values, like, shape = like.shape) =>
      tensor(like.dtype === 'float32' && values instanceof Float32Array ? values : hostFromNumbers(like.dtype, values), {
        dtype: like.dtype,
        shape,
      }),
    toHost: async (x) => {
      const values = await data(x, options);
      return values instanceof Float32Array ? values : Float32Array.from(numbersFromHost(x.dtype, values));
    },
    perItem: (coefficient, like) => {
      const list = typeof coefficient === 'number' ? Array.from({ length: items(like) }, () => coefficient) : coefficient;
      return reshape(factor(list, like), [list.length]);
    },
    multiply: mul,
    exp,
    clamp: (x, limit) => {
      const bound = factor(limit, x);
      return minimum(maximum(x, neg(bound)), bound);
    },
    concat: (states) => {
      if (states.length === 0) throw new UserError('[core-schedules/algebra] nothing to put together: states=0. Pass at least one.');
      return concat(states, 0);
    },
    split: (x, parts) => {
      checkParts(items(x), parts);
      return split(x, parts, 0);
    },
    scaledRms: (error, { absolute, relative, of }) => {
      const greatest = of.map(abs).reduce<Tensor | undefined>((a, b) => (a === undefined ? b : maximum(a, b)), undefined);
      const floor = scalar(absolute, error.dtype);
      const tolerance = greatest === undefined ? floor : maximum(mul(greatest, scalar(relative, error.dtype)), floor);
      return numbers(sqrt(mean(rows(square(div(error, tolerance))), { axes: [1] })));
    },
    absQuantile: async (x, q) => {
      checkQuantile(q);
      return numbers(quantile(rows(abs(x)), q));
    },
    complaint: (y, x) => {
      if (!(y instanceof Tensor)) return 'it is not a Tensor';
      return sameShape(y.shape, x.shape) && y.dtype === x.dtype
        ? undefined
        : `${y.dtype}${showShape(y.shape)}, expected ${x.dtype}${showShape(x.shape)}`;
    },
  };
  return Object.freeze(algebra);
}
