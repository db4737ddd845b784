import { add, cast, clamp, floor, gather, minimum, mul, reshape, slice, square, sub, expandDims, mean, type Tensor } from '@langevin/tensor';

/** Where the points are on an axis of `size` samples: sample before them, and how far beyond it. Positions from -1 to 1, held at the ends. */
function place(x: Tensor, size: number): { readonly index: Tensor; readonly fraction: Tensor } {
  const at = clamp(mul(add(x, 1), (size - 1) / 2), { min: 0, max: size - 1 });
  const index = minimum(floor(at), size - 2);
  return { index, fraction: expandDims(sub(at, index), 1) };
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
  const x = place(across, columns);
  const y = place(down, rows);
  const first = add(x.index, mul(y.index, columns));
  const corner = (offset: number): Tensor => gather(table, cast(add(first, offset), 'int32'));
  const between = (a: Tensor, b: Tensor, t: Tensor): Tensor => add(a, mul(t, sub(b, a)));
  return between(between(corner(0), corner(1), x.fraction), between(corner(columns), corner(columns + 1), x.fraction), y.fraction);
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
