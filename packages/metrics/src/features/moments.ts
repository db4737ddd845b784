import { UserError } from '@langevin/tensor';
import { checkInfo, checkMadeBy, checkSameFeatures, meanOf, type FeatureInfo, type FeatureSet } from './feature-set.ts';
import { crossProduct } from '../matrices/cross-product.ts';

/**
 * Count, mean and scatter of a stream of features: all that a Frechet distance needs, in memory that does not grow with the stream. It is
 * plain data, so that a long evaluation can be saved after any batch and gone on with.
 */
export interface Moments {
  readonly info: FeatureInfo;
  readonly count: number;
  /** [width] */
  readonly mean: Float64Array;
  /** Sum over items of (row - mean)(row - mean)^T, [width, width], row-major and symmetric. */
  readonly scatter: Float64Array;
}

/** Items that are centred at a time: a set of 10,000 items is not copied as a whole. */
const BLOCK = 1024;

/** Moments of nothing, to add to. @throws UserError for what does not describe features */
export function noMoments(info: FeatureInfo): Moments {
  checkInfo('moments', { info });
  return Object.freeze({ info, count: 0, mean: new Float64Array(info.width), scatter: new Float64Array(info.width ** 2) });
}

/**
 * Moments of a set of features, centred before they are squared, so that a large mean costs no digits.
 *
 * @example
 * const info = { name: 'height', layer: 'none', width: 1, hash: 'none', input: 'metres' };
 * covariance(momentsOf(featureSet(info, Float64Array.of(1e8, 1e8 + 2)))); // => [2]
 */
export function momentsOf(set: FeatureSet): Moments {
  checkMadeBy('moments', 'featureSet', { set });
  const { count, width, rows, info } = set;
  const mean = meanOf(set);
  const scatter = new Float64Array(width ** 2);
  for (let from = 0; from < count; from += BLOCK) {
    const part = rows.slice(from * width, Math.min(from + BLOCK, count) * width);
    for (let k = 0; k < part.length; k += 1) part[k]! -= mean[k % width]!;
    const centred = { values: part, rows: part.length / width, columns: width };
    crossProduct(centred, centred, { into: scatter, part: 'upper' });
  }
  mirror(scatter, width);
  return Object.freeze({ info, count, mean, scatter });
}

/**
 * Moments of two streams put together (Chan, Golub and LeVeque 1983): in whatever batches a set comes, the result is the same up to the
 * rounding of float64.
 *
 * @throws UserError when the features are of different kinds
 */
export function mergeMoments(a: Moments, b: Moments): Moments {
  checkMadeBy('moments', 'momentsOf', { a, b });
  checkSameFeatures('moments', a.info, b.info);
  if (a.count === 0) return b;
  if (b.count === 0) return a;
  const width = a.mean.length;
  const count = a.count + b.count;
  const apart = a.mean.map((value, j) => b.mean[j]! - value);
  const mean = a.mean.map((value, j) => value + (apart[j]! * b.count) / count);
  const scatter = a.scatter.map((value, k) => value + b.scatter[k]!);
  addOuterProduct(scatter, apart, (a.count * b.count) / count);
  mirror(scatter, width);
  return Object.freeze({ info: a.info, count, mean, scatter });
}

/**
 * The unbiased covariance, scatter / (count - 1): [width, width], row-major.
 *
 * @throws UserError for fewer than two items
 */
export function covariance(moments: Moments): Float64Array {
  checkMadeBy('moments', 'momentsOf', { moments });
  const { count, scatter } = moments;
  if (count < 2) throw new UserError(`[metrics/moments] a covariance needs two items: count=${count}. Use a larger set.`);
  return scatter.map((value) => value / (count - 1));
}

/** Adds factor * v v^T to the upper triangle. */
function addOuterProduct(matrix: Float64Array, v: Float64Array, factor: number): void {
  const width = v.length;
  for (let j = 0; j < width; j += 1) {
    const scaled = factor * v[j]!;
    if (scaled === 0) continue;
    const row = j * width;
    for (let k = j; k < width; k += 1) matrix[row + k]! += scaled * v[k]!;
  }
}

/** Copies the upper triangle into the lower one. */
function mirror(matrix: Float64Array, width: number): void {
  for (let j = 0; j < width; j += 1) for (let k = 0; k < j; k += 1) matrix[j * width + k] = matrix[k * width + j]!;
}
