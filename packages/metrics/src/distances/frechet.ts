import { EigenvalueDecomposition, Matrix } from 'ml-matrix';
import { checkMadeBy, checkSameFeatures } from '../features/feature-set.ts';
import { covariance, type Moments } from '../features/moments.ts';

/** A distance between two Gaussians, in its two parts. */
export interface FrechetDistance {
  /** The sum of the parts, >= 0: a squared length in the units of the features. */
  readonly value: number;
  /** |m1 - m2|^2 */
  readonly means: number;
  /** tr(C1 + C2 - 2 (C1 C2)^(1/2)) */
  readonly covariances: number;
  /** Items of each set: distances of different counts are not comparable, as the estimate has a bias of order 1 / count. */
  readonly counts: readonly [number, number];
}

/**
 * The Frechet (2-Wasserstein) distance, squared, between Gaussians fitted to two sets of features (Dowson and Landau 1982; Heusel et al.
 * 2017, arXiv:1706.08500, eq. 6): |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)).
 *
 * The trace of the root is the sum of the roots of the eigenvalues of C1^(1/2) C2 C1^(1/2), a symmetric matrix: unlike a general square
 * root of C1 C2 it needs no ridge and gives no imaginary part where there are fewer items than features. Only on the features of the
 * official Inception network is this number called FID.
 *
 * @throws UserError for what momentsOf() did not make, fewer than two items in a set, or features of different kinds
 * @example
 * const info = { name: 'height', layer: 'none', width: 1, hash: 'none', input: 'metres' };
 * const [a, b] = [[-1, 1], [2, 6]].map((rows) => momentsOf(featureSet(info, Float64Array.from(rows))));
 * frechetDistance(a!, b!).value; // => 18
 */
export function frechetDistance(a: Moments, b: Moments): FrechetDistance {
  checkMadeBy('frechet', 'momentsOf', { a, b });
  checkSameFeatures('frechet', a.info, b.info);
  const width = a.info.width;
  const [first, second] = [covariance(a), covariance(b)];
  let means = 0;
  for (let j = 0; j < width; j += 1) means += (a.mean[j]! - b.mean[j]!) ** 2;
  const root = squareRoot(first, width);
  const product = root.mmul(matrixOf(second, width)).mmul(root);
  const eigenvalues = symmetricEigen(product).realEigenvalues;
  const trace = (matrix: Float64Array): number => {
    let sum = 0;
    for (let j = 0; j < width; j += 1) sum += matrix[j * width + j]!;
    return sum;
  };
  const shared = eigenvalues.reduce((sum, value) => sum + Math.sqrt(Math.max(value, 0)), 0);
  // Both parts are >= 0; rounding may take the second below, by units in the last place of the traces.
  const covariances = Math.max(trace(first) + trace(second) - 2 * shared, 0);
  return Object.freeze({ value: means + covariances, means, covariances, counts: [a.count, b.count] as const });
}

function squareRoot(values: Float64Array, width: number): Matrix {
  const { eigenvectorMatrix: vectors, realEigenvalues: eigenvalues } = symmetricEigen(matrixOf(values, width));
  const scaled = vectors.clone();
  for (let j = 0; j < width; j += 1) scaled.mulColumn(j, Math.sqrt(Math.max(eigenvalues[j]!, 0)));
  return scaled.mmul(vectors.transpose());
}

function symmetricEigen(matrix: Matrix): EigenvalueDecomposition {
  return new EigenvalueDecomposition(matrix, { assumeSymmetric: true });
}

function matrixOf(values: Float64Array, width: number): Matrix {
  return Matrix.from1DArray(width, width, values);
}
