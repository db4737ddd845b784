import { UserError } from '../errors.ts';
import { matrixSize, requireSymmetric, type SquareMatrix } from './matrix.ts';

/**
 * The lower triangular L with L L^T = A, for a small symmetric positive definite matrix, in float64. Golub and Van Loan, algorithm 4.2.1.
 *
 * @param a [n, n] row-major, n <= 1024
 * @returns [n, n], zero above the diagonal
 * @throws UserError when a is not symmetric or not positive definite
 * @example
 * cholesky([4, 2, 2, 5]); // => Float64Array [2, 0, 1, 2]
 */
export function cholesky(a: ArrayLike<number>): SquareMatrix {
  const n = matrixSize('cholesky', a);
  requireSymmetric('cholesky', a, n);
  const out = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let rest = a[i * n + j]!;
      for (let k = 0; k < j; k++) rest -= out[i * n + k]! * out[j * n + k]!;
      if (i > j) {
        out[i * n + j] = rest / out[j * n + j]!;
        continue;
      }
      if (!(rest > 0)) {
        throw new UserError(
          `[tensor/cholesky] matrix is not positive definite: pivot ${i} is ${rest}. Add a small multiple of the identity.`,
        );
      }
      out[i * n + i] = Math.sqrt(rest);
    }
  }
  return out;
}
