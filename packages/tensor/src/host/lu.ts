import { UserError } from '../errors.ts';
import { largestMagnitude, matrixSize, type SquareMatrix } from './matrix.ts';

interface Factors {
  readonly n: number;
  /** L below the diagonal (its own diagonal is 1), U on and above it. */
  readonly lu: SquareMatrix;
  /** Row i of the factors is row `rows[i]` of the matrix. */
  readonly rows: readonly number[];
  readonly swaps: number;
  /** The first pivot that vanishes up to rounding, or -1. */
  readonly zeroPivot: number;
}

/** P A = L U with row pivoting. Golub and Van Loan, algorithm 3.4.1. */
function factorise(where: string, a: ArrayLike<number>): Factors {
  const n = matrixSize(where, a);
  const lu = Float64Array.from(a);
  const rows = Array.from({ length: n }, (_, i) => i);
  const negligible = n * Number.EPSILON * largestMagnitude(a);
  let swaps = 0;
  let zeroPivot = -1;
  for (let k = 0; k < n; k++) {
    let pivot = k;
    for (let i = k + 1; i < n; i++) if (Math.abs(lu[i * n + k]!) > Math.abs(lu[pivot * n + k]!)) pivot = i;
    if (Math.abs(lu[pivot * n + k]!) <= negligible) {
      if (zeroPivot < 0) zeroPivot = k;
      if (lu[pivot * n + k] === 0) continue;
    }
    if (pivot !== k) {
      swapRows({ a: lu, n }, k, pivot);
      [rows[k], rows[pivot]] = [rows[pivot]!, rows[k]!];
      swaps++;
    }
    for (let i = k + 1; i < n; i++) {
      const factor = lu[i * n + k]! / lu[k * n + k]!;
      lu[i * n + k] = factor;
      for (let j = k + 1; j < n; j++) lu[i * n + j]! -= factor * lu[k * n + j]!;
    }
  }
  return { n, lu, rows, swaps, zeroPivot };
}

function swapRows({ a, n }: { readonly a: SquareMatrix; readonly n: number }, i: number, k: number): void {
  const row = a.slice(i * n, (i + 1) * n);
  a.copyWithin(i * n, k * n, (k + 1) * n);
  a.set(row, k * n);
}

function requireRegular(where: string, { zeroPivot, n }: Factors): void {
  if (zeroPivot >= 0) {
    throw new UserError(
      `[tensor/${where}] matrix is singular up to rounding: size=${n}, pivot ${zeroPivot} vanishes. Add a multiple of the `
        + 'identity, or use another formula.',
    );
  }
}

/** x with A x = b, for one column of b. */
function substitute({ n, lu, rows }: Factors, b: (row: number) => number): Float64Array {
  const x = Float64Array.from(rows, b);
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) x[i]! -= lu[i * n + j]! * x[j]!;
  for (let i = n - 1; i >= 0; i--) {
    for (let j = i + 1; j < n; j++) x[i]! -= lu[i * n + j]! * x[j]!;
    x[i]! /= lu[i * n + i]!;
  }
  return x;
}

/**
 * x with A x = b, for a small matrix on the host, in float64.
 *
 * @param a [n, n] row-major, n <= 1024
 * @param b [n] or [n, m] row-major
 * @returns [n] or [n, m]
 * @throws UserError when a is singular up to rounding or b does not fit
 * @example
 * solve([2, 0, 0, 4], [2, 8]); // => Float64Array [1, 2]
 */
export function solve(a: ArrayLike<number>, b: ArrayLike<number>): Float64Array {
  const factors = factorise('solve', a);
  const { n } = factors;
  const columns = b.length / n;
  if (!Number.isInteger(columns) || columns < 1) {
    throw new UserError(`[tensor/solve] right side does not fit: elements=${b.length}, n=${n}. Give [n] or [n, m] numbers, row-major.`);
  }
  requireRegular('solve', factors);
  const out = new Float64Array(b.length);
  for (let c = 0; c < columns; c++) substitute(factors, (row) => b[row * columns + c]!).forEach((v, i) => (out[i * columns + c] = v));
  return out;
}

/**
 * The inverse of a small matrix, in float64. To apply it once, {@link solve} is cheaper and more exact.
 *
 * @param a [n, n] row-major, n <= 1024
 * @throws UserError when a is singular up to rounding
 */
export function inverse(a: ArrayLike<number>): SquareMatrix {
  const n = matrixSize('inverse', a);
  const factors = factorise('inverse', a);
  requireRegular('inverse', factors);
  const out = new Float64Array(n * n);
  for (let c = 0; c < n; c++) substitute(factors, (row) => (row === c ? 1 : 0)).forEach((v, i) => (out[i * n + c] = v));
  return out;
}

/** The determinant of a small matrix [n, n]; it may overflow where {@link logDeterminant} does not. */
export function determinant(a: ArrayLike<number>): number {
  const { n, lu, swaps } = factorise('determinant', a);
  let product = swaps % 2 === 0 ? 1 : -1;
  for (let i = 0; i < n; i++) product *= lu[i * n + i]!;
  return product;
}

/** log |det A| and the sign of det A (0 with -infinity for a singular matrix). */
export function logDeterminant(a: ArrayLike<number>): { readonly sign: -1 | 0 | 1; readonly logMagnitude: number } {
  const { n, lu, swaps } = factorise('logDeterminant', a);
  let negative = swaps % 2;
  let logMagnitude = 0;
  for (let i = 0; i < n; i++) {
    const pivot = lu[i * n + i]!;
    if (pivot === 0) return { sign: 0, logMagnitude: -Infinity };
    if (pivot < 0) negative++;
    logMagnitude += Math.log(Math.abs(pivot));
  }
  return { sign: negative % 2 === 0 ? 1 : -1, logMagnitude };
}
