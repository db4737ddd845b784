import { featureSet, frechetDistance, momentsOf, pickItems, type FeatureSet } from '@langevin/metrics';
import { describe, expect, it } from 'vitest';
import { fitOfMoments, fitOfSet } from '../src/distances/gaussian-fit.ts';
import { frechetOfFits } from '../src/distances/frechet.ts';
import { crossProduct, type RowMajor } from '../src/matrices/cross-product.ts';
import { nuclearNorm } from '../src/matrices/nuclear-norm.ts';
import { pivotedCholesky } from '../src/matrices/pivoted-cholesky.ts';
import { features, info, uniform } from './harness.ts';

const matrix = (rows: number, columns: number, phase: number): RowMajor => ({
  values: Float64Array.from({ length: rows * columns }, (_, k) => uniform(Math.floor(k / columns), k % columns, phase) - 0.5),
  rows,
  columns,
});

/** a^T b as it is written in books. */
function plainProduct(a: RowMajor, b: RowMajor): Float64Array {
  return Float64Array.from({ length: a.columns * b.columns }, (_, at) => {
    const [i, j] = [Math.floor(at / b.columns), at % b.columns];
    let sum = 0;
    for (let k = 0; k < a.rows; k += 1) sum += a.values[k * a.columns + i]! * b.values[k * b.columns + j]!;
    return sum;
  });
}

const transposed = ({ values, rows, columns }: RowMajor): RowMajor => ({
  values: Float64Array.from({ length: values.length }, (_, k) => values[(k % rows) * columns + Math.floor(k / rows)]!),
  rows: columns,
  columns: rows,
});
const farthest = (a: Float64Array, b: Float64Array): number => a.reduce((most, value, k) => Math.max(most, Math.abs(value - b[k]!)), 0);

/** An orthogonal matrix: the identity, reflected in a vector. */
function reflection(size: number, phase: number): RowMajor {
  const v = matrix(size, 1, phase).values;
  const scale = 2 / v.reduce((sum, value) => sum + value * value, 0);
  const values = Float64Array.from({ length: size * size }, (_, k) => {
    const [i, j] = [Math.floor(k / size), k % size];
    return Number(i === j) - scale * v[i]! * v[j]!;
  });
  return { values, rows: size, columns: size };
}

/** A matrix with known singular values: they are between two reflections. */
function withSingularValues(rows: number, columns: number, singular: readonly number[]): RowMajor {
  const middle = new Float64Array(rows * columns);
  singular.forEach((value, k) => (middle[k * columns + k] = value));
  const half = { values: plainProduct(reflection(rows, 1), { values: middle, rows, columns }), rows, columns };
  return { values: plainProduct(transposed(half), reflection(columns, 2)), rows, columns };
}

describe('products of matrices', () => {
  // Numbers of rows around a block's, numbers of columns around a strip's.
  it.each([
    [1, 1, 1],
    [3, 5, 2],
    [7, 4, 9],
    [256, 8, 3],
    [600, 6, 7],
  ])('of %i rows, %i and %i columns are those of the sums', (rows, p, q) => {
    const [a, b] = [matrix(rows, p, 0.1), matrix(rows, q, 0.7)];
    expect(farthest(crossProduct(a, b), plainProduct(a, b))).toBeLessThan(rows * Number.EPSILON);
    const into = crossProduct(a, b);
    crossProduct(a, b, { into });
    expect(
      farthest(
        into,
        plainProduct(a, b).map((value) => 2 * value),
      ),
    ).toBeLessThan(2 * rows * Number.EPSILON);
    const [upper, whole] = [crossProduct(a, a, { part: 'upper' }), crossProduct(a, a)];
    for (let i = 0; i < p; i += 1) for (let j = i; j < p; j += 1) expect(upper[i * p + j]).toBe(whole[i * p + j]);
  });
});

describe('the factor of a covariance', () => {
  const productOf = (factor: RowMajor): Float64Array => plainProduct(transposed(factor), transposed(factor));
  it.each([
    ['of full rank', 40, 12, 12],
    ['of fewer items than features', 5, 12, 5],
    ['of one number', 3, 1, 1],
  ])('%s gives it back, with as many columns as ranks', (_, count, size, rank) => {
    const rows = matrix(count, size, 3);
    const covariance = plainProduct(rows, rows);
    const factor = pivotedCholesky(covariance, size);
    expect(factor).toMatchObject({ rows: size, columns: rank });
    expect(farthest(productOf(factor), covariance)).toBeLessThan(size * Number.EPSILON * Math.max(...covariance));
  });
  it('keeps features of small units beside those of large ones, and has no column for those that never change', () => {
    const units = [1e8, 1e-8, 0, 1];
    const rows = matrix(30, 4, 5);
    rows.values.forEach((value, k) => (rows.values[k] = value * units[k % 4]!));
    const covariance = plainProduct(rows, rows);
    const factor = pivotedCholesky(covariance, 4);
    expect(factor.columns).toBe(3);
    const back = productOf(factor);
    for (const j of [0, 1, 3]) expect(back[5 * j]! / covariance[5 * j]!).toBeCloseTo(1, 12);
    expect(pivotedCholesky(new Float64Array(9), 3).columns).toBe(0);
  });
});

describe('the sum of singular values', () => {
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  it.each([
    ['square', 6, 6, [5, 4, 3, 2, 1, 0.5]],
    ['tall', 11, 4, [9, 1, 1, 1]],
    ['wide', 3, 10, [2, 1e-3, 1e-6]],
    ['of one rank', 8, 8, [3]],
    ['of equal values', 9, 9, Array.from({ length: 9 }, () => 2)],
    ['of zeros', 4, 5, []],
    ['of one number', 1, 1, [7]],
    ['of one row', 1, 6, [2]],
    ['of large and small ones', 7, 7, [1e200, 1e199, 1]],
    ['of very small ones', 5, 5, [1e-200, 1e-201]],
  ])('of a matrix that is %s', (_, rows, columns, singular) => {
    const value = nuclearNorm(withSingularValues(rows, columns, singular));
    expect(Math.abs(value - sum(singular))).toBeLessThanOrEqual(16 * Math.max(rows, columns) * Number.EPSILON * sum(singular));
  });
  it('keeps the digits of small ones, which would be lost if anything were squared', () => {
    // 40 values of 1e-12 beside one of 1: squared, each would drown in the rounding of 1.
    const singular = [1, ...Array.from({ length: 40 }, () => 1e-12)];
    expect(Math.abs(nuclearNorm(withSingularValues(41, 41, singular)) - 1 - 40e-12)).toBeLessThan(41 * 8 * Number.EPSILON);
  });
  it('of a diagonal matrix is that of its magnitudes, and of a transposed one the same', () => {
    const diagonal = { values: Float64Array.of(3, 0, 0, -4), rows: 2, columns: 2 };
    expect(nuclearNorm(diagonal)).toBeCloseTo(7, 14);
    const any = matrix(23, 37, 8);
    expect(nuclearNorm(transposed(any))).toBeCloseTo(nuclearNorm(any), 12);
  });
});

describe('the Frechet distance of covariances that lack ranks', () => {
  /** Items at plus and minus the given lengths along each axis: their covariance is diagonal. */
  const along = (lengths: readonly number[]): FeatureSet => {
    const width = lengths.length;
    const rows = new Float64Array(2 * width * width);
    lengths.forEach((length, j) => {
      rows[2 * j * width + j] = length;
      rows[(2 * j + 1) * width + j] = -length;
    });
    return featureSet(info(width), rows);
  };
  it('is the sum of squared differences of deviations where covariances have the same axes', () => {
    const [a, b] = [
      [3, 0, 1, 0, 1e-4],
      [1, 2, 0, 0, 1e4],
    ];
    const expected = a!.reduce((sum, length, j) => sum + ((length - b![j]!) ** 2 * 2) / 9, 0);
    const { covariances } = frechetDistance(momentsOf(along(a!)), momentsOf(along(b!)));
    expect(covariances / expected).toBeCloseTo(1, 13);
  });
  it('is that of both traces where no direction is shared', () => {
    const [a, b] = [along([1, 2, 0, 0]), along([0, 0, 3, 4])];
    expect(frechetDistance(momentsOf(a), momentsOf(b)).value).toBeCloseTo((2 * (1 + 4 + 9 + 16)) / 7, 13);
  });
  it('is the same from the items themselves as from moments, with few and many items on either side', () => {
    const base = { width: 24, phase: 1, shift: 0.3, scale: 1 };
    const sets = [7, 24, 25, 90].map((count, s) => features({ ...base, count, phase: s, scale: 1 + s / 3 }));
    for (const a of sets) {
      for (const b of sets) {
        const fromItems = frechetOfFits(fitOfSet(a), fitOfSet(b)).value;
        const fromMoments = frechetDistance(momentsOf(a), momentsOf(b)).value;
        expect(Math.abs(fromItems - fromMoments)).toBeLessThan(1e-11 * (fitOfMoments(momentsOf(a)).trace + 10));
      }
    }
  });
  it('does not depend on the order of items or of features, nor on features that never change', () => {
    const [a, b] = [7, 12].map((count) => features({ count, width: 9, phase: count, shift: 0, scale: 1 }));
    const { value } = frechetDistance(momentsOf(a!), momentsOf(b!));
    const order = [3, 8, 0, 5, 1, 7, 2, 6, 4];
    const moved = (set: FeatureSet): FeatureSet => {
      const rows = new Float64Array(set.count * 10);
      for (let i = 0; i < set.count; i += 1) {
        order.forEach((from, to) => (rows[i * 10 + to] = set.rows[i * 9 + from]!));
        rows[i * 10 + 9] = 42;
      }
      return pickItems(
        featureSet(info(10), rows),
        Array.from({ length: set.count }, (_, i) => set.count - 1 - i),
      );
    };
    expect(frechetDistance(momentsOf(moved(a!)), momentsOf(moved(b!))).value).toBeCloseTo(value, 11);
  });
});
