import { add, div, exp, flatten, log, mul, neg, oneHot, sum, type Tensor } from '@langevin/tensor';

/** How often each code is used, [codes], as shares of all places: of int32 indices of any shape. */
export function usage(indices: Tensor, codes: number): Tensor {
  return div(sum(oneHot(flatten(indices), codes), { axes: [0] }), indices.size);
}

/**
 * How many codes are in use, as if all were used equally: e^H of the shares, a number between 1 and `codes`.
 *
 * @example await item(perplexity(tensor([0, 1, 2, 3], { dtype: 'int32' }), 8)); // => 4
 */
export function perplexity(indices: Tensor, codes: number): Tensor {
  const shares = usage(indices, codes);
  return exp(neg(sum(mul(shares, log(add(shares, 1e-10))))));
}
