import { reshape, transpose, type Tensor } from '@langevin/tensor';

/** Rows and columns of tokens. */
export type Grid = readonly [rows: number, columns: number];

/** What windows tile. */
export interface Windows {
  readonly grid: Grid;
  /** Side of a window; divides rows and columns. */
  readonly window: number;
}

/** [N, rows columns, D] to [N windows, window^2, D]. */
export function toWindows(x: Tensor, { grid: [rows, columns], window }: Windows): Tensor {
  const [n, , d] = x.shape as readonly [number, number, number];
  const split = reshape(x, [n, rows / window, window, columns / window, window, d]);
  return reshape(transpose(split, [0, 1, 3, 2, 4, 5]), [(n * rows * columns) / window ** 2, window ** 2, d]);
}

/** The inverse of {@link toWindows}. */
export function fromWindows(x: Tensor, { grid: [rows, columns], window }: Windows): Tensor {
  const d = x.shape[2]!;
  const n = (x.shape[0]! * window ** 2) / (rows * columns);
  const split = reshape(x, [n, rows / window, columns / window, window, window, d]);
  return reshape(transpose(split, [0, 1, 3, 2, 4, 5]), [n, rows * columns, d]);
}
