import type { RowMajor } from './cross-product.ts';

/**
 * A factor L with L L^T = C of a covariance of any rank, by the Cholesky decomposition that always goes on with the row of which most is
 * left (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., section 10.3). It ends when nothing but rounding is left of any
 * row, so that L has as many columns as C has ranks: a set of 50 items and 2,048 features gives 49.
 *
 * What counts as rounding is relative to the row's own variance, so that features in small units are kept beside others in large ones.
 *
 * @param covariance [size, size], row-major, symmetric and positive semidefinite
 * @returns [size, rank]; the rows are those of C, so that L is triangular up to their order
 */
export function pivotedCholesky(covariance: Float64Array, size: number): RowMajor {
  const factor = new Float64Array(size * size);
  const left = Float64Array.from({ length: size }, (_, i) => covariance[i * size + i]!);
  const least = left.map((variance) => size * Number.EPSILON * variance);
  const waiting = Int32Array.from({ length: size }, (_, i) => i);
  let rank = 0;
  for (; rank < size; rank += 1) {
    let place = -1;
    for (let w = rank; w < size; w += 1) {
      const i = waiting[w]!;
      if (left[i]! > least[i]! && (place < 0 || left[i]! > left[waiting[place]!]!)) place = w;
    }
    if (place < 0) break;
    [waiting[rank], waiting[place]] = [waiting[place]!, waiting[rank]!];
    addColumn({ covariance, factor, left, waiting, size }, rank);
  }
  const values = new Float64Array(size * rank);
  for (let i = 0; i < size; i += 1) values.set(factor.subarray(i * size, i * size + rank), i * rank);
  return { values, rows: size, columns: rank };
}

/** The next column: C's, less what the columns before have of it. */
function addColumn(
  {
    covariance,
    factor,
    left,
    waiting,
    size,
  }: {
    readonly covariance: Float64Array;
    readonly factor: Float64Array;
    readonly left: Float64Array;
    readonly waiting: Int32Array;
    readonly size: number;
  },
  at: number,
): void {
  const pivot = waiting[at]!;
  const root = Math.sqrt(left[pivot]!);
  const own = factor.subarray(pivot * size, pivot * size + at);
  factor[pivot * size + at] = root;
  for (let w = at + 1; w < size; w += 1) {
    const i = waiting[w]!;
    const row = i * size;
    let s0 = 0;
    let s1 = 0;
    let s2 = 0;
    let s3 = 0;
    let k = 0;
    for (; k + 3 < at; k += 4) {
      s0 += own[k]! * factor[row + k]!;
      s1 += own[k + 1]! * factor[row + k + 1]!;
      s2 += own[k + 2]! * factor[row + k + 2]!;
      s3 += own[k + 3]! * factor[row + k + 3]!;
    }
    for (; k < at; k += 1) s0 += own[k]! * factor[row + k]!;
    const entry = (covariance[pivot * size + i]! - (s0 + s1 + (s2 + s3))) / root;
    factor[row + at] = entry;
    left[i]! -= entry * entry;
  }
}
