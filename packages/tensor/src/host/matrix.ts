import { UserError } from '../errors.ts';

/** A square matrix of float64 numbers, row-major: `values[i * n + j]`. */
export type SquareMatrix = Float64Array;

/** Beyond this size a matrix does not belong on the host: the cost is n^3. */
export const MAX_MATRIX_SIZE = 1024;

/** The size n of a row-major n x n matrix. @throws UserError when it is not square, empty, too large, or has a NaN or infinity */
export function matrixSize(where: string, a: ArrayLike<number>): number {
  const n = Math.round(Math.sqrt(a.length));
  if (n * n !== a.length || n < 1 || n > MAX_MATRIX_SIZE) {
    throw new UserError(
      `[tensor/${where}] matrix is not square or its size is out of range: elements=${a.length}. Give n * n numbers, row-major, `
        + `with n in [1, ${MAX_MATRIX_SIZE}].`,
    );
  }
  for (let i = 0; i < a.length; i++) {
    if (!Number.isFinite(a[i]))
      throw new UserError(
        `[tensor/${where}] matrix has an element that is not finite: row=${Math.floor(i / n)}, column=${i % n}, value=${a[i]}. `
          + 'Check what computed it.',
      );
  }
  return n;
}

/** The largest magnitude, to judge what is small. */
export function largestMagnitude(a: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs(a[i]!));
  return largest;
}

/** @throws UserError when a and its transpose differ by more than rounding */
export function requireSymmetric(where: string, a: ArrayLike<number>, n: number): void {
  const allowed = n * 2 ** -50 * largestMagnitude(a);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) {
      if (Math.abs(a[i * n + j]! - a[j * n + i]!) > allowed) {
        throw new UserError(
          `[tensor/${where}] matrix is not symmetric: a[${i}, ${j}]=${a[i * n + j]}, a[${j}, ${i}]=${a[j * n + i]}. Average it `
            + 'with its transpose if that is rounding.',
        );
      }
    }
  }
}
