import {
  add,
  cast,
  div,
  floor,
  mul,
  reshape,
  round,
  stack,
  straightThrough,
  sub,
  sum,
  tanh,
  tensor,
  zeros,
  type Tensor,
} from '@langevin/tensor';
import type { Quantized } from '../coded-autoencoder.ts';

/** Codes whose numbers are each one of a few levels. */
export interface ScalarQuantizer {
  /** Product of the levels. */
  readonly count: number;
  /** The codes of a latent [N, channels, ...]: each number bounded, then rounded. */
  readonly quantize: (z: Tensor) => Quantized;
  /** The codes of indices, int32 [N, ...]: [N, channels, ...]. */
  readonly look: (indices: Tensor) => Tensor;
  /** The indices of codes [N, channels, ...], int32 [N, ...]: the inverse of `look`. */
  readonly indicesOf: (code: Tensor) => Tensor;
}

/** Keeps the outermost levels within what tanh reaches: the paper's. */
const MARGIN = 1e-3;

/**
 * Finite scalar quantisation (Mentzer et al. 2023, arXiv:2309.15505, sec. 3 and appendix A.1): channel i is bounded by tanh to levels[i]
 * whole numbers around 0, rounded, and scaled to [-1, 1]; the gradient goes through the rounding as it is. There is no book to learn, and
 * nothing pulls latents and codes together. Index = sum over channels of digit times the product of the levels before.
 */
export function scalarQuantizer(levels: readonly number[]): ScalarQuantizer {
  const count = levels.reduce((product, level) => product * level, 1);
  const halves = levels.map((level) => Math.floor(level / 2));
  const reach = levels.map((level) => ((level - 1) * (1 + MARGIN)) / 2);
  // An even number of levels has none in the middle: one more below 0 than above.
  const offset = levels.map((level) => (level % 2 === 0 ? 0.5 : 0));
  // tanh(0 + shift) is the middle.
  const shift = offset.map((value, i) => Math.atanh(value / reach[i]!));
  const places = levels.map((_, i) => levels.slice(0, i).reduce((product, level) => product * level, 1));
  const along = (values: readonly number[], rank: number): Tensor =>
    reshape(tensor([...values]), [1, values.length, ...new Array<number>(rank - 2).fill(1)]);

  const indicesOf = (code: Tensor): Tensor => {
    const at = (values: readonly number[]): Tensor => along(values, code.rank);
    const digits = round(add(mul(code, at(halves)), at(halves)));
    return cast(sum(mul(digits, at(places)), { axes: [1] }), 'int32');
  };
  return Object.freeze({
    count,
    indicesOf,
    quantize(z: Tensor) {
      const at = (values: readonly number[]): Tensor => along(values, z.rank);
      const bounded = sub(mul(tanh(add(z, at(shift))), at(reach)), at(offset));
      const latent = div(straightThrough(round(bounded), bounded), at(halves));
      return { latent, indices: indicesOf(latent), loss: zeros([]) };
    },
    look(indices: Tensor) {
      const index = cast(indices, 'float32');
      const digits = levels.map((level, i) => {
        // Whole numbers below 2^20 plus a half, so that rounding of the division decides nothing.
        const above = floor(div(add(index, 0.5), places[i]!));
        return sub(above, mul(floor(div(add(above, 0.5), level)), level));
      });
      return stack(
        digits.map((digit, i) => div(sub(digit, halves[i]!), halves[i]!)),
        1,
      );
    },
  });
}
