import { checkNumber, readOptions, shownValue, UserError } from '@langevin/tensor';
import { checkCount, checkMadeBy, checkSameFeatures, pickItems, type FeatureSet } from '../features/feature-set.ts';
import { checkRun } from '../features/given.ts';
import { frechetOfFits } from './frechet.ts';
import { fitOfSet } from './gaussian-fit.ts';
import { drawWithoutReplacement } from './kernel.ts';

export interface ExtrapolateOptions {
  /** Sizes of the subsets. @default 15 sizes from a tenth of the set to all of it, evenly spaced */
  readonly sizes?: readonly number[];
  /** Decides which items are in which subset. @default 0 */
  readonly seed?: number;
  /** Aborts between subsets, with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Told after each subset, of so many. */
  readonly progress?: ((done: number, of: number) => void) | undefined;
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
export async function extrapolatedFrechet(
  samples: FeatureSet,
  data: FeatureSet,
  options: ExtrapolateOptions = {},
): Promise<ExtrapolatedDistance> {
  checkMadeBy('extrapolate', 'featureSet', { samples, data });
  checkSameFeatures('extrapolate', samples.info, data.info);
  checkCount('extrapolate', samples, 30);
  const { sizes = evenSizes(samples.count), seed = 0, signal, progress } = readOptions('metrics/extrapolate', options, OPTIONS);
  checkRun('metrics/extrapolate', { signal, progress });
  if (!Array.isArray(sizes) || sizes.length < 3)
    throw new UserError(`[metrics/extrapolate] too few sizes for a line: sizes=${shownSizes(sizes)}. Give a list of three or more.`);
  for (const size of sizes) checkNumber('metrics/extrapolate', { size }, { atLeast: 2, atMost: samples.count, kind: 'integer' });
  const reference = fitOfSet(data);
  const points: { readonly count: number; readonly value: number }[] = [];
  for (const [s, count] of sizes.entries()) {
    // Each distance takes seconds at large widths: others have their turn, and a signal arrives.
    await new Promise((resolve) => void setTimeout(resolve, 0));
    signal?.throwIfAborted();
    const items = drawWithoutReplacement({ count: samples.count, of: count, seed, stream: [s] });
    points.push(Object.freeze({ count, value: frechetOfFits(fitOfSet(pickItems(samples, items)), reference).value }));
    progress?.(s + 1, sizes.length);
  }
  return Object.freeze({ ...lineThrough(points.map(({ count, value }) => [1 / count, value] as const)), points });
}

const OPTIONS = ['sizes', 'seed', 'signal', 'progress'];

function shownSizes(sizes: unknown): string {
  return Array.isArray(sizes) ? `${sizes.length} sizes` : shownValue(sizes);
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
