import { UserError } from '../errors.ts';
import { normalizeAxis, showShape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { mul } from './binary.ts';
import { eye } from './create.ts';
import { sum } from './reduce.ts';
import { reshape } from './shaping.ts';
import { cast } from './unary.ts';

/** The elements where two axes of equal size have equal index; the second axis is dropped. */
export function gatherDiagonal(x: Tensor, axis1 = -2, axis2 = -1): Tensor {
  const i = normalizeAxis('tensor/diagonal', axis1, x.rank);
  const j = normalizeAxis('tensor/diagonal', axis2, x.rank);
  const n = x.shape[i]!;
  if (i === j || n !== x.shape[j]) {
    throw new UserError(
      `[tensor/diagonal] axes do not form a square: x=${showShape(x.shape)}, axes=${i} and ${j}. Choose two axes of one size.`,
    );
  }
  const mask = reshape(
    cast(eye(n), x.dtype),
    x.shape.map((_, axis) => (axis === i || axis === j ? n : 1)),
  );
  return sum(mul(x, mask), { axes: j });
}
