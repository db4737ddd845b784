import { checkNumber, readOptions, UserError } from '@langevin/tensor';
import { checkMadeBy, type FeatureSet } from '../features/feature-set.ts';
import { checkGiven } from '../features/given.ts';
import { nearestItems, RUN_OPTIONS, type NeighbourOptions } from './nearest.ts';

export interface MemorisationOptions extends NeighbourOptions {
  /** A sample nearer to the training data than this share of held-out data is counted as copied, in 0..1. @default 0.01 */
  readonly quantile?: number;
}

/** How near samples are to what was trained on, beside how near data is that was never seen. */
export interface Memorisation {
  /** Share of samples whose nearest training item is nearer than the quantile of held-out data. About `quantile` for a model that learned
   * the distribution; 1 for one that copies. */
  readonly copied: number;
  /** The share that held-out data has by definition. */
  readonly quantile: number;
  /** The distance below which a sample counts as copied. */
  readonly threshold: number;
  /** Median distance to the nearest training item. */
  readonly medianOfSamples: number;
  readonly medianOfHeldOut: number;
  /** [count of samples], the nearest training item of each. */
  readonly items: Int32Array;
  /** [count of samples] */
  readonly distances: Float64Array;
}

/**
 * Compares the distances of samples to their nearest training items with those of held-out data, which no model can have copied (the
 * comparison of Meehan et al. 2020, arXiv:2004.05675, at one quantile).
 *
 * @throws UserError for features of different kinds, an empty set, or held-out data that are among the training data
 * @example
 * const info = { name: 'height', layer: 'none', width: 1, hash: 'none', input: 'metres' };
 * const heights = (...rows: number[]) => featureSet(info, Float64Array.from(rows));
 * const [training, heldOut] = [heights(0, 10, 20), heights(3, 14, 26)];
 * const { copied, items } = await memorisation({ samples: heights(0.1, 20, 9.9), training, heldOut });
 * copied; // => 1
 * items; // => [0, 2, 1]
 */
export async function memorisation(
  sets: { readonly samples: FeatureSet; readonly training: FeatureSet; readonly heldOut: FeatureSet },
  given: MemorisationOptions = {},
): Promise<Memorisation> {
  checkGiven('metrics/memorisation', 'an object', { sets });
  const { samples, training, heldOut } = sets;
  const { quantile = 0.01, ...options } = readOptions('metrics/memorisation', given, ['quantile', ...RUN_OPTIONS]);
  checkMadeBy('memorisation', 'featureSet', { samples, training, heldOut });
  checkNumber('metrics/memorisation', { quantile }, { atLeast: 0, atMost: 1 });
  const ofHeldOut = (await nearestItems(heldOut, training, options)).distances.slice().sort();
  const threshold = sortedQuantile(ofHeldOut, quantile);
  if (threshold === 0 && quantile > 0) {
    throw new UserError(
      `[metrics/memorisation] held-out data are among the training data, so that nothing is nearer: threshold=0, quantile=${quantile}. `
        + 'Hold out data that were not trained on.',
    );
  }
  const { items, distances } = await nearestItems(samples, training, options);
  return Object.freeze({
    copied: distances.reduce((sum, distance) => sum + (distance < threshold ? 1 : 0), 0) / distances.length,
    quantile,
    threshold,
    medianOfSamples: sortedQuantile(distances.slice().sort(), 0.5),
    medianOfHeldOut: sortedQuantile(ofHeldOut, 0.5),
    items,
    distances,
  });
}

/** Between neighbours linear, as NumPy's default. */
function sortedQuantile(sorted: Float64Array, q: number): number {
  const at = q * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(at)]!, sorted[Math.ceil(at)]!];
  return low + (high - low) * (at - Math.floor(at));
}
