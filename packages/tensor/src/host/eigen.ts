import { InternalError } from '../errors.ts';
import { matrixSize, requireSymmetric, type SquareMatrix } from './matrix.ts';

export interface SymmetricEigen {
  /** [n], rising. */
  readonly values: Float64Array;
  /** [n, n] row-major; column k is the unit eigenvector of `values[k]`. */
  readonly vectors: SquareMatrix;
}

/** Quadratic convergence sets in after a few sweeps; 8 are usual, and more than 30 would be a defect. */
const MAX_SWEEPS = 60;

/**
 * Eigenvalues and orthonormal eigenvectors of a small symmetric matrix, by cyclic Jacobi rotations in float64: slower than tridiagonal
 * methods, and exact to the last digits for small eigenvalues too. Golub and Van Loan, section 8.5.
 *
 * @param a [n, n] row-major, symmetric, n <= 1024
 * @throws UserError when a is not symmetric
 */
export function symmetricEigen(a: ArrayLike<number>): SymmetricEigen {
  const n = matrixSize('symmetricEigen', a);
  requireSymmetric('symmetricEigen', a, n);
  const work = Float64Array.from(a);
  const vectors = new Float64Array(n * n);
  for (let i = 0; i < n; i++) vectors[i * n + i] = 1;
  const negligible = (Number.EPSILON * norm(work)) ** 2;
  for (let sweep = 0; squareOffDiagonal(work, n) > negligible; sweep++) {
    if (sweep === MAX_SWEEPS) throw new InternalError(`[tensor/symmetricEigen] rotations do not converge: size=${n}.`);
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) rotate({ a: work, vectors, n }, p, q);
  }
  const order = Array.from({ length: n }, (_, i) => i).sort((i, j) => work[i * n + i]! - work[j * n + j]!);
  return {
    values: Float64Array.from(order, (i) => work[i * n + i]!),
    vectors: Float64Array.from({ length: n * n }, (_, flat) => vectors[Math.floor(flat / n) * n + order[flat % n]!]!),
  };
}

function norm(a: Float64Array): number {
  return a.reduce((sum, v) => Math.hypot(sum, v), 0);
}

function squareOffDiagonal(a: Float64Array, n: number): number {
  let sum = 0;
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) if (i !== j) sum += a[i * n + j]! ** 2;
  return sum;
}

/** Rotate the plane of axes p and q so that a[p, q] vanishes. */
function rotate(
  { a, vectors, n }: { readonly a: Float64Array; readonly vectors: Float64Array; readonly n: number },
  p: number,
  q: number,
): void {
  const apq = a[p * n + q]!;
  if (apq === 0) return;
  const theta = (a[q * n + q]! - a[p * n + p]!) / (2 * apq);
  // The smaller root of t^2 + 2 theta t - 1 = 0: a rotation by at most 45 degrees.
  const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.hypot(theta, 1));
  const c = 1 / Math.hypot(t, 1);
  const s = t * c;
  const turn = (values: Float64Array, i: number, j: number): void => {
    const x = values[i]!;
    const y = values[j]!;
    values[i] = c * x - s * y;
    values[j] = s * x + c * y;
  };
  for (let k = 0; k < n; k++) turn(a, k * n + p, k * n + q);
  for (let k = 0; k < n; k++) turn(a, p * n + k, q * n + k);
  for (let k = 0; k < n; k++) turn(vectors, k * n + p, k * n + q);
  a[p * n + q] = 0;
  a[q * n + p] = 0;
}
