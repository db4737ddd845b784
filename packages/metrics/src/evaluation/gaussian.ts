import { fromImages, toImages, type Image } from '@langevin/io';
import { checkNumber, counterGenerator, float32Data, matmul, readOptions, tensor, UserError, type Engine } from '@langevin/tensor';
import { checkImages, checkRun } from '../features/given.ts';
import { checkMadeBy, featureSet, type FeatureSet } from '../features/feature-set.ts';

export interface GaussianOptions {
  readonly count: number;
  /** @default 0 */
  readonly seed?: number;
  /** @default the default engine */
  readonly engine?: Engine | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Rows that a Gaussian is fitted to, at most: more change nothing that a distance would show. */
const MOST = 8192;
/** Rows that are drawn at a time. */
const BLOCK = 256;

/**
 * Draws from the Gaussian with the mean and covariance of rows, without factorising anything: mean + sum_i z_i (x_i - mean) / sqrt(n - 1)
 * with unit normals z has exactly the unbiased covariance of the rows x, of whatever rank.
 */
async function gaussianRows(
  { rows, width }: { readonly rows: ArrayLike<number>; readonly width: number },
  options: GaussianOptions,
): Promise<Float64Array> {
  const { count, seed = 0, engine, signal } = readOptions('metrics/gaussian', options, ['count', 'seed', 'engine', 'signal']);
  checkRun('metrics/gaussian', { signal });
  checkNumber('metrics/gaussian', { count }, { atLeast: 1, atMost: 1e7, kind: 'integer' });
  const all = rows.length / width;
  const n = Math.min(all, MOST);
  if (n < 2) throw new UserError(`[metrics/gaussian] a covariance needs two items: count=${n}. Use a larger set.`);
  // Evenly over the rows, which may be in an order.
  const from = (i: number): number => Math.floor((i * all) / n) * width;
  const mean = new Float64Array(width);
  for (let i = 0; i < n; i += 1) for (let j = 0; j < width; j += 1) mean[j]! += rows[from(i) + j]! / n;
  const centred = new Float32Array(n * width);
  for (let i = 0; i < n; i += 1) {
    for (let j = 0; j < width; j += 1) centred[i * width + j] = (rows[from(i) + j]! - mean[j]!) / Math.sqrt(n - 1);
  }
  const basis = tensor(centred, { shape: [n, width] });
  const result = new Float64Array(count * width);
  for (let first = 0; first < count; first += BLOCK) {
    signal?.throwIfAborted();
    const z = Float32Array.from(counterGenerator({ seed, stream: [first] }).normal(BLOCK * n));
    const moved = await float32Data(matmul(tensor(z, { shape: [BLOCK, n] }), basis), engine ? { engine } : {});
    const inside = Math.min(BLOCK, count - first) * width;
    for (let k = 0; k < inside; k += 1) result[first * width + k] = mean[k % width]! + moved[k]!;
  }
  return result;
}

/**
 * Pictures of the Gaussian with the mean and covariance of given pictures, all pixels together: what a model can do that knows only how
 * pairs of pixels go together. Values out of range are clipped, as in any picture.
 *
 * @throws UserError for fewer than two pictures, or pictures of different sizes
 */
export async function gaussianPictures(pictures: readonly Image[], options: GaussianOptions): Promise<readonly Image[]> {
  checkImages('metrics/gaussian', 'pictures', pictures);
  const { data, shape } = fromImages(pictures);
  const width = data.length / pictures.length;
  const drawn = await gaussianRows({ rows: data, width }, options);
  return toImages({ data: Float32Array.from(drawn), shape: [options.count, shape[1], shape[2], shape[3]] });
}

/**
 * Features drawn from the Gaussian of a set: what a Frechet distance cannot tell from the set itself.
 *
 * @throws UserError for fewer than two items
 */
export async function gaussianFeatures(set: FeatureSet, options: GaussianOptions): Promise<FeatureSet> {
  checkMadeBy('gaussian', 'featureSet', { set });
  return featureSet(set.info, await gaussianRows(set, options));
}
