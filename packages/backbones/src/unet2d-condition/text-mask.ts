import { cast, mul, reshape, sub, type Tensor } from '@langevin/tensor';

/** The mask of tokens as diffusers applies it: -10000 for a logit of a token that is not there. [N, L] to [N, 1, 1, L]. */
export function addedMask(mask: Tensor): Tensor {
  const [n, tokens] = mask.shape as readonly [number, number];
  return reshape(mul(sub(1, cast(mask, 'float32')), -10000), [n, 1, 1, tokens]);
}
