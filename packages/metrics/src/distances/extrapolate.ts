import { checkNumber, UserError } from '@langevin/tensor';
import { checkCount, checkMadeBy, pickItems, type FeatureSet } from '../features/feature-set.ts';
import { momentsOf } from '../features/moments.ts';
import { frechetDistance } from './frechet.ts';
import { drawWithoutReplacement } from './kernel.ts';

export interface ExtrapolateOptions {
  /** Sizes of the subsets. @default 15 sizes from a tenth of the set to all of it, evenly spaced */
  readonly sizes?: readonly number[];
  /** Decides which items are in which subset. @default 0 */
  readonly seed?: number;
}

/** A Frechet distance as it would be of infinitely many samples. */
export interface ExtrapolatedDistance {
  readonly value: number;
  /** Standard error of the intercept of the line. */
  readonly standardError: number;
  /** d value / d (1 / count): how strong the bias is. */
  readonly slope: number;
  readonly points: readonly { readonly count: number; readonly value: number }[];
}

/**
 * Takes the bias out of a Frechet distance (Chong and Forsyth 2020, arXiv:1911.07023): its expectation is linear in 1 / count, so a line
 * through the distances of random subsets is followed to 1 / count = 0. The bias of the reference set stays.
 *
 * @throws UserError for fewer than three sizes, or sizes outside of 2..count
 */
export function extrapolatedFrechet(samples: FeatureSet, data: FeatureSet, options: ExtrapolateOptions = {}): ExtrapolatedDistance {
  checkMadeBy('extrapolate', 'featureSet', { samples, data });
  const { sizes = evenSizes(samples.count), seed = 0 } = options;
  checkCount('extrapolate', samples, 30);
  if (sizes.length < 3) throw new UserError(`[metrics/extrapolate] too few sizes for a line: sizes=${sizes.length}. Give three or more.`);
  for (const size of sizes) checkNumber('metrics/extrapolate', { size }, { atLeast: 2, atMost: samples.count, kind: 'integer' });
  const reference = momentsOf(data);
  const points = sizes.map((count, s) => {
    const items = drawWithoutReplacement({ count: samples.count, of: count, seed, stream: [s] });
    return Object.freeze({ count, value: frechetDistance(momentsOf(pickItems(samples, items)), reference).value });
  });
  return Object.freeze({ ...lineThrough(points.map(({ count, value }) => [1 / count, value] as const)), points });
}

function evenSizes(count: number): readonly number[] {
  const least = Math.max(2, Math.round(count / 10));
  return Array.from({ length: 15 }, (_, i) => Math.round(least + ((count - least) * i) / 14));
}

/** Least squares; the value is the intercept. */
function lineThrough(points: readonly (readonly [x: number, y: number])[]): {
  readonly value: number;
  readonly slope: number;
  readonly standardError: number;
} {
  const n = points.length;
  const mx = points.reduce((sum, [x]) => sum + x, 0) / n;
  const my = points.reduce((sum, [, y]) => sum + y, 0) / n;
  const sxx = points.reduce((sum, [x]) => sum + (x - mx) ** 2, 0);
  if (sxx === 0) throw new UserError('[metrics/extrapolate] all sizes are equal. Give different ones.');
  const slope = points.reduce((sum, [x, y]) => sum + (x - mx) * (y - my), 0) / sxx;
  const value = my - slope * mx;
  const residual = points.reduce((sum, [x, y]) => sum + (y - value - slope * x) ** 2, 0);
  return { value, slope, standardError: Math.sqrt((residual / (n - 2)) * (1 / n + mx ** 2 / sxx)) };
}
