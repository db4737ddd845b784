import { UserError } from '@langevin/tensor';
import { meanOf, type FeatureInfo, type FeatureSet } from '../features/feature-set.ts';
import { covariance, momentsOf, type Moments } from '../features/moments.ts';
import type { RowMajor } from '../matrices/cross-product.ts';
import { pivotedCholesky } from '../matrices/pivoted-cholesky.ts';

/** A Gaussian fitted to features, with its covariance as a product: all that a Frechet distance takes of it. */
export interface GaussianFit {
  readonly info: FeatureInfo;
  readonly count: number;
  /** [width] */
  readonly mean: Float64Array;
  /** Of the covariance. */
  readonly trace: number;
  /** factor factor^T is the covariance: [width, at least its rank]. */
  readonly factor: RowMajor;
}

/** @throws UserError for fewer than two items */
export function fitOfMoments(moments: Moments): GaussianFit {
  const { info, count, mean } = moments;
  const width = mean.length;
  const matrix = covariance(moments);
  let trace = 0;
  for (let j = 0; j < width; j += 1) trace += matrix[j * width + j]!;
  return Object.freeze({ info, count, mean, trace, factor: pivotedCholesky(matrix, width) });
}

const known = new WeakMap<Float64Array, GaussianFit>();

/**
 * The Gaussian of a set. Several distances to one set fit it once, as long as the set is held.
 *
 * @throws UserError for fewer than two items
 */
export function fitOfSet(set: FeatureSet): GaussianFit {
  const found = known.get(set.rows);
  if (found !== undefined && found.info === set.info) return found;
  // Of few items, the rows themselves are a factor: nothing has to be decomposed.
  const fit = set.count <= set.width ? fitOfFewRows(set) : fitOfMoments(momentsOf(set));
  known.set(set.rows, fit);
  return fit;
}

function fitOfFewRows(set: FeatureSet): GaussianFit {
  const { info, count, width, rows } = set;
  if (count < 2) throw new UserError(`[metrics/frechet] a covariance needs two items: count=${count}. Use a larger set.`);
  const mean = meanOf(set);
  const values = new Float64Array(width * count);
  let trace = 0;
  for (let j = 0; j < width; j += 1) {
    for (let i = 0; i < count; i += 1) {
      const value = (rows[i * width + j]! - mean[j]!) / Math.sqrt(count - 1);
      values[j * count + i] = value;
      trace += value * value;
    }
  }
  return Object.freeze({ info, count, mean, trace, factor: { values, rows: width, columns: count } });
}
