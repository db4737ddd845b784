import { add, data, hostFromNumbers, mul, numbersFromHost, realize, reshape, scalar, showShape, sameShape, tensor, Tensor, UserError } from '@langevin/tensor';
import type { Engine } from '@langevin/tensor';
import type { Algebra, Coefficient } from './algebra.ts';

export interface TensorAlgebraOptions {
  /** Where pending graphs run. @default the engine that holds the state, else the default engine */
  readonly engine?: Engine;
}

/**
 * States as lazy tensors [N, ...]: the state stays on its engine, and coefficients are graph inputs, so that one compiled graph
 * serves all steps of a sampler.
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
      throw new UserError(`[core-schedules/algebra] one coefficient for each item: coefficients=${coefficient.length}, shape=${showShape(like.shape)}. Pass a number, or as many as there are items.`);
    }
    return tensor(hostFromNumbers(like.dtype, coefficient), { dtype: like.dtype, shape: like.shape.map((_, axis) => (axis === 0 ? coefficient.length : 1)) });
  };
  const algebra: Algebra<Tensor> = {
    name: 'tensors',
    linear: (...terms) => {
      if (terms.length === 0) throw new UserError('[core-schedules/algebra] a linear combination needs a term: terms=0. Pass at least one.');
      return terms.map(([coefficient, value]) => mul(value, factor(coefficient, value))).reduce(add);
    },
    realize: (values) => realize(values, options),
    items,
    size: (x) => x.size,
    fromHost: (values, like) => tensor(hostFromNumbers(like.dtype, values), { dtype: like.dtype, shape: like.shape }),
    toHost: async (x) => Float32Array.from(numbersFromHost(x.dtype, await data(x, options))),
    perItem: (coefficient, like) => {
      const list = typeof coefficient === 'number' ? Array.from({ length: items(like) }, () => coefficient) : coefficient;
      return reshape(factor(list, like), [list.length]);
    },
    complaint: (y, x) => {
      if (!(y instanceof Tensor)) return 'it is not a Tensor';
      return sameShape(y.shape, x.shape) && y.dtype === x.dtype ? undefined : `${y.dtype}${showShape(y.shape)}, expected ${x.dtype}${showShape(x.shape)}`;
    },
  };
  return Object.freeze(algebra);
}
