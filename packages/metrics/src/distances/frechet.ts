import { checkMadeBy, checkSameFeatures } from '../features/feature-set.ts';
import type { Moments } from '../features/moments.ts';
import { crossProduct } from '../matrices/cross-product.ts';
import { nuclearNorm } from '../matrices/nuclear-norm.ts';
import { fitOfMoments, type GaussianFit } from './gaussian-fit.ts';

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
 * With C1 = F F^T and C2 = G G^T, the trace of the root is the sum of the singular values of F^T G: no matrix root is taken, no ridge is
 * needed, and no imaginary part is dropped where there are fewer items than features. Only on the features of the official Inception
 * network is this number called FID.
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
  const first = fitOfMoments(a);
  return frechetOfFits(first, a === b ? first : fitOfMoments(b));
}

/** The distance of two Gaussians that are fitted already. @throws UserError for features of different kinds */
export function frechetOfFits(a: GaussianFit, b: GaussianFit): FrechetDistance {
  checkSameFeatures('frechet', a.info, b.info);
  const means = a.mean.reduce((sum, value, j) => sum + (value - b.mean[j]!) ** 2, 0);
  const shared = nuclearNorm({ values: crossProduct(a.factor, b.factor), rows: a.factor.columns, columns: b.factor.columns });
  // Both parts are >= 0; rounding may take the second below, by units in the last place of the traces.
  const covariances = Math.max(a.trace + b.trace - 2 * shared, 0);
  return Object.freeze({ value: means + covariances, means, covariances, counts: [a.count, b.count] as const });
}
