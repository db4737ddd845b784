import { checkNumber, readOptions } from '@langevin/tensor';
import { checkCount, checkMadeBy, checkSameFeatures, type FeatureSet } from '../features/feature-set.ts';
import { checkRun } from '../features/given.ts';
import { RUN_OPTIONS, squaredDistances, squaredRadii, type NeighbourOptions } from './nearest.ts';

export interface PrecisionRecallOptions extends NeighbourOptions {
  /** Neighbours that make the radius of an item's ball; papers use 3 (with 50,000 items) and 5. @default 5, as the PRDC paper */
  readonly k?: number;
}

/** Whether samples look like data (precision, density) and whether all of the data is covered (recall, coverage). */
export interface PrecisionRecall {
  /** Share of samples within the ball of at least one item of the data, 0..1. */
  readonly precision: number;
  /** Share of the data within the ball of at least one sample, 0..1. */
  readonly recall: number;
  /** In how many balls of the data a sample is, over k: not bounded by 1, about 1 for samples that are like the data. */
  readonly density: number;
  /** Share of the data whose ball holds at least one sample, 0..1. */
  readonly coverage: number;
  readonly k: number;
  /** Items of samples and data: values of other counts or k are not comparable. */
  readonly counts: readonly [samples: number, data: number];
}

/**
 * Precision and recall (Kynkaanniemi et al. 2019, arXiv:1904.06991), density and coverage (Naeem et al. 2020, arXiv:2002.09797): the ball
 * of an item reaches to its k-th nearest neighbour in its own set. An item on the edge is inside (<=), so that a set is fully covered by
 * itself.
 *
 * @throws UserError for features of different kinds, or when a set has not more than k items
 * @example
 * const info = { name: 'height', layer: 'none', width: 1, hash: 'none', input: 'metres' };
 * const heights = (...rows: number[]) => featureSet(info, Float64Array.from(rows));
 * const { precision, recall } = await precisionRecall(heights(1, 2, 3), heights(1, 2, 3, 20, 21, 22), { k: 2 });
 * [precision, recall]; // => [1, 0.5]
 */
export async function precisionRecall(samples: FeatureSet, data: FeatureSet, given: PrecisionRecallOptions = {}): Promise<PrecisionRecall> {
  const { k = 5, ...options } = readOptions('metrics/precision-recall', given, ['k', ...RUN_OPTIONS]);
  checkRun('metrics/precision-recall', options);
  checkMadeBy('precision-recall', 'featureSet', { samples, data });
  checkSameFeatures('precision-recall', samples.info, data.info);
  checkNumber('metrics/precision-recall', { k }, { atLeast: 1, kind: 'integer' });
  for (const set of [samples, data]) checkCount('precision-recall', set, k + 1);
  const ofData = await squaredRadii(data, k, options);
  const ofSamples = await squaredRadii(samples, k, options);
  const inBalls = new Float64Array(samples.count);
  const recalled = new Uint8Array(data.count);
  const covered = new Uint8Array(data.count);
  for await (const { from, rows, stride, values, uncertain } of squaredDistances(samples, data, options)) {
    for (let i = 0; i < rows[0]; i += 1) {
      const sample = from[0] + i;
      for (let j = 0; j < rows[1]; j += 1) {
        const item = from[1] + j;
        const distance = values[i * stride + j]! - uncertain;
        if (distance <= ofData[item]!) {
          inBalls[sample]! += 1;
          covered[item] = 1;
        }
        if (distance <= ofSamples[sample]!) recalled[item] = 1;
      }
    }
  }
  const share = (flags: Iterable<number> & { readonly length: number }): number =>
    [...flags].filter((flag) => flag > 0).length / flags.length;
  return Object.freeze({
    precision: share(inBalls),
    recall: share(recalled),
    density: inBalls.reduce((sum, balls) => sum + balls, 0) / (k * samples.count),
    coverage: share(covered),
    k,
    counts: [samples.count, data.count] as const,
  });
}
