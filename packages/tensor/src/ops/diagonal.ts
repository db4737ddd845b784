import { UserError } from '../errors.ts';
import { showShape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { axisOf } from './operands.ts';
import { reshape, transpose } from './shaping.ts';
import { slice } from './slicing.ts';

/** The elements where two axes of equal size have equal index; the second axis is dropped. */
export function gatherDiagonal(x: Tensor, axis1 = -2, axis2 = -1): Tensor {
  const i = axisOf('tensor/diagonal', x, axis1);
  const j = axisOf('tensor/diagonal', x, axis2);
  const n = x.shape[i]!;
  if (i === j || n !== x.shape[j]) {
    throw new UserError(
      `[tensor/diagonal] axes do not form a square: x=${showShape(x.shape)}, axes=${i} and ${j}. Choose two axes of one size.`,
    );
  }
  // In a matrix read row by row, n + 1 elements lie from one of the diagonal to the next.
  const others = x.shape.flatMap((_, axis) => (axis === i || axis === j ? [] : [axis]));
  const rows = reshape(transpose(x, [...others, i, j]), [...others.map((axis) => x.shape[axis]!), n * n]);
  const diagonal = slice(rows, { [-1]: { step: n + 1 } });
  const place = i < j ? i : i - 1;
  const order = [...others.keys()];
  order.splice(place, 0, others.length);
  return transpose(diagonal, order);
}
