import { add, cast, clamp, expandDims, floor, gather, minimum, mul, reshape, sub, sum, tensor, type Tensor } from '@langevin/tensor';

/** Corners of a cell in the order (0, 0), (1, 0), (0, 1), (1, 1): weight of a corner = constant + slope * fraction, on each axis. */
const CORNERS = {
  across: { constant: [1, 0, 1, 0], slope: [-1, 1, -1, 1] },
  down: { constant: [1, 1, 0, 0], slope: [-1, -1, 1, 1] },
} as const;

/**
 * The samples before the points on an axis of `size`, [N], and the weights of the corners, [4, N]. Positions from -1 to 1, held at the
 * ends.
 */
function place(x: Tensor, size: number, axis: keyof typeof CORNERS): { readonly index: Tensor; readonly weights: Tensor } {
  const at = clamp(mul(add(x, 1), (size - 1) / 2), { min: 0, max: size - 1 });
  const index = minimum(floor(at), size - 2);
  const { constant, slope } = CORNERS[axis];
  const column = (values: readonly number[]): Tensor => tensor(values, { shape: [4, 1] });
  return { index, weights: add(mul(sub(at, index), column(slope)), column(constant)) };
}

/**
 * Rows of features between the samples of a plane, bilinearly.
 *
 * @param plane [rows, columns, F], two of each at least
 * @param across [N] in [-1, 1], along the columns
 * @param down [N] in [-1, 1], along the rows
 * @returns [N, F]
 */
export function samplePlane(plane: Tensor, across: Tensor, down: Tensor): Tensor {
  const [rows, columns, features] = plane.shape as [number, number, number];
  const table = reshape(plane, [rows * columns, features]);
  const x = place(across, columns, 'across');
  const y = place(down, rows, 'down');
  // One look-up for all corners: [4, N].
  const indices = add(add(x.index, mul(y.index, columns)), tensor([[0], [1], [columns], [columns + 1]]));
  return sum(mul(gather(table, cast(indices, 'int32')), expandDims(mul(x.weights, y.weights), 2)), { axes: 0 });
}
