import { mean, slice, square, sub, type Tensor } from '@langevin/tensor';

/** Differences of neighbours along an axis. */
function differences(x: Tensor, axis: number): Tensor {
  return sub(slice(x, { [axis]: { start: 1 } }), slice(x, { [axis]: { stop: x.shape[axis]! - 1 } }));
}

/** Mean square of the differences of neighbours along an axis: total variation. */
export function variation(plane: Tensor, axis: 0 | 1): Tensor {
  return mean(square(differences(plane, axis)));
}

/** Mean square of the second differences along the rows, three at least: how much a motion speeds up and slows down. */
export function acceleration(plane: Tensor): Tensor {
  return mean(square(differences(differences(plane, 0), 0)));
}
