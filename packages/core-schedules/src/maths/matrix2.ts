/** A two-by-two matrix by rows: [xx, xv, vx, vv]. */
export type Matrix2 = readonly [number, number, number, number];

/**
 * The product a b.
 *
 * @example
 * multiplyMatrix2([1, 2, 0, 1], [1, 0, 3, 1]); // => [7, 2, 3, 1]
 */
export function multiplyMatrix2(a: Matrix2, b: Matrix2): Matrix2 {
  return [a[0] * b[0] + a[1] * b[2], a[0] * b[1] + a[1] * b[3], a[2] * b[0] + a[3] * b[2], a[2] * b[1] + a[3] * b[3]];
}

function determinant(m: Matrix2): number {
  return m[0] * m[3] - m[1] * m[2];
}

/**
 * The inverse of a matrix that has one.
 *
 * @example
 * inverseMatrix2([1, 2, 0, 1]); // => [1, -2, -0, 1]
 */
export function inverseMatrix2(m: Matrix2): Matrix2 {
  const scale = 1 / determinant(m);
  return [scale * m[3], -scale * m[1], -scale * m[2], scale * m[0]];
}

/**
 * a + factor b
 *
 * @example
 * addMatrix2([1, 0, 0, 1], 2, [0, 1, 1, 0]); // => [1, 2, 2, 1]
 */
export function addMatrix2(a: Matrix2, factor: number, b: Matrix2): Matrix2 {
  return [a[0] + factor * b[0], a[1] + factor * b[1], a[2] + factor * b[2], a[3] + factor * b[3]];
}

/** The lower triangular L with L L^T = m, for m symmetric and positive. */
export function lowerRootMatrix2(m: Matrix2): Matrix2 {
  const first = Math.sqrt(m[0]);
  const below = m[2] / first;
  return [first, 0, below, Math.sqrt(m[3] - below ** 2)];
}
