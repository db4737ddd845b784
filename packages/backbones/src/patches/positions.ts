import { tensor, type Tensor } from '@langevin/tensor';

export interface PositionOptions {
  /** Features; a multiple of 4. */
  readonly size: number;
  /** Rows and columns of patches. */
  readonly grid: readonly [rows: number, columns: number];
  /** Rows and columns that the network was made for: other grids are stretched to the same positions. */
  readonly base: number;
  /** All positions are divided by this. @default 1 */
  readonly interpolation?: number;
}

/**
 * Fixed positions of patches [1, rows * columns, size]: sine and cosine of the column in the first half, of the row in the second, with
 * frequencies 10000^(-i / (size / 4)). Equal to diffusers' `get_2d_sincos_pos_embed`.
 */
export function gridPositions({ size, grid: [rows, columns], base, interpolation = 1 }: PositionOptions): Tensor {
  const quarter = size / 4;
  const frequencies = Array.from({ length: quarter }, (_, i) => 10000 ** (-i / quarter));
  // Places in float32 at each step, as the reference computes them.
  const f = Math.fround;
  const place = (index: number, count: number): number => f(f(index / f(count / base)) / f(interpolation));
  const data = new Float32Array(rows * columns * size);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const start = (row * columns + column) * size;
      [place(column, columns), place(row, rows)].forEach((at, axis) => {
        frequencies.forEach((frequency, i) => {
          data[start + 2 * axis * quarter + i] = Math.sin(at * frequency);
          data[start + (2 * axis + 1) * quarter + i] = Math.cos(at * frequency);
        });
      });
    }
  }
  return tensor(data, { shape: [1, rows * columns, size] });
}
