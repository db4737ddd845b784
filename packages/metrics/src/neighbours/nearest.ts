import { checkNumber, readOptions } from '@langevin/tensor';
import { checkCount, checkMadeBy, checkSameFeatures, meanOf, type FeatureSet } from '../features/feature-set.ts';
import { checkRun } from '../features/given.ts';
import { innerProducts, type ProductBlock, type ProductOptions } from '../distances/products.ts';

export type NeighbourOptions = Omit<ProductOptions, 'centre'>;

/** Names of the options that all of these have. */
export const RUN_OPTIONS: readonly string[] = ['engine', 'signal', 'progress'];

/**
 * Squared distances between the rows of two sets, a block at a time. Products are those of rows from which the mean of `b` was taken, in
 * single precision; `uncertain` is what rounding may be, so that equal rows count as equal.
 */
export async function* squaredDistances(
  a: FeatureSet,
  b: FeatureSet,
  options: NeighbourOptions = {},
): AsyncGenerator<Omit<ProductBlock, 'values'> & { readonly values: Float64Array; readonly uncertain: number }> {
  const centre = meanOf(b);
  const [left, right] = [squaredNorms(a, centre), squaredNorms(b, centre)];
  const uncertain = 2 ** -22 * (largest(left) + largest(right));
  for await (const block of innerProducts(a, b, { ...options, centre })) {
    const { from, rows, stride } = block;
    const values = new Float64Array(rows[0] * stride);
    for (let i = 0; i < rows[0]; i += 1) {
      for (let j = 0; j < rows[1]; j += 1) {
        const product = block.values[i * stride + j]!;
        values[i * stride + j] = Math.max(left[from[0] + i]! + right[from[1] + j]! - 2 * product, 0);
      }
    }
    yield { from, rows, stride, values, uncertain };
  }
}

/** The nearest item of another set, for each item. */
export interface Nearest {
  /** [count], positions in the other set. */
  readonly items: Int32Array;
  /** [count], Euclidean. */
  readonly distances: Float64Array;
}

/**
 * For each item of `a` the nearest one of `b`: what a sample may have been copied from. Distances are computed anew in float64 for the
 * item that was found.
 *
 * @throws UserError for features of different kinds, or an empty set
 * @example
 * const info = { name: 'height', layer: 'none', width: 1, hash: 'none', input: 'metres' };
 * const heights = (...rows: number[]) => featureSet(info, Float64Array.from(rows));
 * const { items, distances } = await nearestItems(heights(1, 5), heights(7, 2));
 * items; // => [1, 0]
 * distances; // => [1, 2]
 */
export async function nearestItems(a: FeatureSet, b: FeatureSet, options: NeighbourOptions = {}): Promise<Nearest> {
  checkMadeBy('nearest', 'featureSet', { a, b });
  checkSameFeatures('nearest', a.info, b.info);
  const run = readOptions('metrics/nearest', options, RUN_OPTIONS);
  checkRun('metrics/nearest', run);
  checkCount('nearest', a, 1);
  checkCount('nearest', b, 1);
  const items = new Int32Array(a.count);
  const least = new Float64Array(a.count).fill(Infinity);
  for await (const { from, rows, stride, values } of squaredDistances(a, b, run)) {
    for (let i = 0; i < rows[0]; i += 1) {
      for (let j = 0; j < rows[1]; j += 1) {
        if (values[i * stride + j]! >= least[from[0] + i]!) continue;
        least[from[0] + i] = values[i * stride + j]!;
        items[from[0] + i] = from[1] + j;
      }
    }
  }
  const distances = Float64Array.from(items, (item, i) => Math.sqrt(squaredDistance(a, b, [i, item])));
  return Object.freeze({ items, distances });
}

/**
 * The squared distance of each item to its k-th nearest neighbour in its own set, itself not counted.
 *
 * @throws UserError unless 1 <= k < count
 */
export async function squaredRadii(set: FeatureSet, k: number, options: NeighbourOptions = {}): Promise<Float64Array> {
  checkNumber('metrics/neighbours', { k }, { atLeast: 1, atMost: set.count - 1, kind: 'integer' });
  // For each item the k + 1 least distances so far in falling order: the greatest one comes first and is what has to be beaten. Its own
  // distance is one of them.
  const size = k + 1;
  const least = new Float64Array(set.count * size).fill(Infinity);
  for await (const { from, rows, stride, values } of squaredDistances(set, set, options)) {
    for (let i = 0; i < rows[0]; i += 1) {
      const start = (from[0] + i) * size;
      for (let j = 0; j < rows[1]; j += 1) {
        const value = from[0] + i === from[1] + j ? 0 : values[i * stride + j]!;
        if (value >= least[start]!) continue;
        let at = start;
        for (; at + 1 < start + size && least[at + 1]! > value; at += 1) least[at] = least[at + 1]!;
        least[at] = value;
      }
    }
  }
  return Float64Array.from({ length: set.count }, (_, i) => least[i * size]!);
}

function squaredDistance(a: FeatureSet, b: FeatureSet, [i, j]: readonly [number, number]): number {
  let sum = 0;
  for (let k = 0; k < a.width; k += 1) sum += (a.rows[i * a.width + k]! - b.rows[j * b.width + k]!) ** 2;
  return sum;
}

function squaredNorms({ rows, width, count }: FeatureSet, centre: Float64Array): Float64Array {
  return Float64Array.from({ length: count }, (_, i) => {
    let sum = 0;
    // Of the rows as the engine sees them, in single precision.
    for (let j = 0; j < width; j += 1) sum += Math.fround(rows[i * width + j]! - centre[j]!) ** 2;
    return sum;
  });
}

function largest(values: Float64Array): number {
  let most = 0;
  for (const value of values) most = Math.max(most, value);
  return most;
}
