import { add, cast, clamp, expandDims, floor, gather, mean, minimum, mul, reshape, slice, square, sub, sum, tensor, type Tensor } from '@langevin/tensor';

/** Corners of a cell in the order (0, 0), (1, 0), (0, 1), (1, 1): weight of a corner = constant + slope * fraction, on each axis. */
const CORNERS = { across: { constant: [1, 0, 1, 0], slope: [-1, 1, -1, 1] }, down: { constant: [1, 1, 0, 0], slope: [-1, -1, 1, 1] } } as const;

/** The samples before the points on an axis of `size`, [N], and the weights of the corners, [4, N]. Positions from -1 to 1, held at the ends. */
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

/** The same for one point, in plain numbers: `visit` gets each feature. */
export function samplePlaneAt(plane: Float32Array, [rows, columns, features]: readonly [number, number, number], at: { readonly across: number; readonly down: number }, visit: (feature: number, value: number) => void): void {
  const locate = (x: number, size: number): readonly [number, number] => {
    const position = Math.min(size - 1, Math.max(0, ((x + 1) * (size - 1)) / 2));
    const index = Math.min(size - 2, Math.floor(position));
    return [index, position - index];
  };
  const [i, s] = locate(at.across, columns);
  const [j, t] = locate(at.down, rows);
  const first = (i + j * columns) * features;
  const below = first + columns * features;
  for (let f = 0; f < features; f++) {
    const top = plane[first + f]! + s * (plane[first + features + f]! - plane[first + f]!);
    const bottom = plane[below + f]! + s * (plane[below + features + f]! - plane[below + f]!);
    visit(f, top + t * (bottom - top));
  }
}

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
