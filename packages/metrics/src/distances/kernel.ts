import { checkNumber, counterGenerator, readOptions, shownValue, UserError } from '@langevin/tensor';
import { checkCount, checkMadeBy, checkSameFeatures, meanOf, pickItems, type FeatureSet } from '../features/feature-set.ts';
import { checkRun } from '../features/given.ts';
import { innerProducts, type ProductOptions } from './products.ts';

/**
 * What compares two rows of features:
 * - `cubic`: (x . y / width + 1)^3, that of the kernel distance of Binkowski et al. 2018
 * - a Gaussian, exp(-|x - y|^2 / (2 bandwidth^2)), which sees all moments; Jayasumana et al. 2024 (arXiv:2401.09603) take bandwidth 10 on
 *   unit vectors
 */
export type FeatureKernel = 'cubic' | { readonly gaussian: number };

export interface DiscrepancyOptions extends Omit<ProductOptions, 'centre'> {
  /** @default 'cubic' */
  readonly kernel?: FeatureKernel;
}

export interface KernelDistanceOptions extends DiscrepancyOptions {
  /** How many pairs of subsets are compared, >= 2. @default 100, as torchmetrics does */
  readonly subsets?: number;
  /**
   * Items of each subset, >= 2. @default 1000, or half of the smaller set where that is fewer: subsets that are whole sets would all be
   * the same, and their spread nothing
   */
  readonly subsetSize?: number;
  /** Decides which items are in which subset. @default 0 */
  readonly seed?: number;
}

/** A kernel distance with what it is uncertain by. */
export interface KernelDistance {
  /** Mean over the subsets. Unbiased, so that it may be below 0 where the sets are alike. */
  readonly value: number;
  /** Standard deviation over the subsets, which is what papers print behind their +-. */
  readonly std: number;
  /** std / sqrt(subsets): the error of the mean over subsets of these items; other items would move it by more. */
  readonly standardError: number;
  readonly subsets: number;
  readonly subsetSize: number;
}

const OPTIONS = ['kernel', 'engine', 'signal', 'progress'];

/**
 * The kernel distance (KID on Inception features; Binkowski et al. 2018, arXiv:1801.01401): the squared maximum mean discrepancy under
 * k(x, y) = (x . y / width + 1)^3, or another kernel, in its unbiased form. Unlike a Frechet distance it has no bias that
 * depends on the count.
 *
 * @throws UserError for features of different kinds, or subsets that are larger than a set
 * @example
 * const info = { name: 'height', layer: 'none', width: 1, hash: 'none', input: 'metres' };
 * const heights = (...rows: number[]) => featureSet(info, Float64Array.from(rows));
 * const { value, std } = await kernelDistance(heights(1, 2, 3, 4), heights(2, 3, 4, 6), { subsetSize: 3, seed: 1 });
 * Number.isFinite(value) && std > 0; // => true
 */
export async function kernelDistance(a: FeatureSet, b: FeatureSet, options: KernelDistanceOptions = {}): Promise<KernelDistance> {
  checkMadeBy('kernel', 'featureSet', { a, b });
  checkSameFeatures('kernel', a.info, b.info);
  checkCount('kernel', a, 2);
  checkCount('kernel', b, 2);
  const {
    subsets = 100,
    subsetSize = Math.min(1000, Math.max(2, Math.floor(Math.min(a.count, b.count) / 2))),
    seed = 0,
    progress,
    ...discrepancy
  } = readOptions('metrics/kernel', options, [...OPTIONS, 'subsets', 'subsetSize', 'seed']);
  checkRun('metrics/kernel', { progress });
  checkNumber('metrics/kernel', { subsets }, { atLeast: 2, atMost: 1e6, kind: 'integer' });
  checkNumber(
    'metrics/kernel',
    { subsetSize },
    { atLeast: 2, atMost: Math.min(a.count, b.count), kind: 'integer', advice: `Pass an integer in 2..${Math.min(a.count, b.count)}.` },
  );
  const values: number[] = [];
  for (let s = 0; s < subsets; s += 1) {
    const pick = (set: FeatureSet, side: number): FeatureSet =>
      pickItems(set, drawWithoutReplacement({ count: set.count, of: subsetSize, seed, stream: [s, side] }));
    values.push(await unbiasedDiscrepancy(pick(a, 0), pick(b, 1), discrepancy));
    progress?.(s + 1, subsets);
  }
  const value = values.reduce((sum, each) => sum + each, 0) / subsets;
  const std = Math.sqrt(values.reduce((sum, each) => sum + (each - value) ** 2, 0) / (subsets - 1));
  return Object.freeze({ value, std, standardError: std / Math.sqrt(subsets), subsets, subsetSize });
}

/**
 * The unbiased squared maximum mean discrepancy of two whole sets (Gretton et al. 2012, eq. 3).
 *
 * @throws UserError for features of different kinds, fewer than two items, or a bandwidth that is not above 0
 */
export async function unbiasedDiscrepancy(a: FeatureSet, b: FeatureSet, given: DiscrepancyOptions = {}): Promise<number> {
  const { kernel = 'cubic', ...options } = readOptions('metrics/kernel', given, OPTIONS);
  checkRun('metrics/kernel', options);
  if (kernel !== 'cubic' && (typeof kernel !== 'object' || kernel === null))
    throw new UserError(`[metrics/kernel] unknown kernel: kernel=${shownValue(kernel)}. Give cubic, or { gaussian: bandwidth }.`);
  if (kernel !== 'cubic') checkNumber('metrics/kernel', { 'kernel.gaussian': kernel.gaussian }, { above: 0 });
  checkMadeBy('kernel', 'featureSet', { a, b });
  checkSameFeatures('kernel', a.info, b.info);
  checkCount('kernel', a, 2);
  checkCount('kernel', b, 2);
  const within = async (set: FeatureSet): Promise<number> =>
    ((await kernelSum([set, set], kernel, options)) - kernelSumOfSelf(set, kernel)) / (set.count * (set.count - 1));
  const between = await kernelSum([a, b], kernel, options);
  return (await within(a)) + (await within(b)) - (2 * between) / (a.count * b.count);
}

async function kernelSum([a, b]: readonly [FeatureSet, FeatureSet], kernel: FeatureKernel, options: ProductOptions): Promise<number> {
  // x . y = (x - c) . (y - c) + c . x + c . y - c . c: single precision sees numbers around zero only, the rest is float64.
  const centre = meanOf(b);
  const [left, right] = [productsWith(a, centre), productsWith(b, centre)];
  const own = centre.reduce((sum, value) => sum + value ** 2, 0);
  const [squaresA, squaresB] = [squares(a), squares(b)];
  const valueOf = kernelOf(kernel, a.width);
  let sum = 0;
  for await (const { rows, stride, values, from } of innerProducts(a, b, { ...options, centre })) {
    for (let i = 0; i < rows[0]; i += 1) {
      for (let j = 0; j < rows[1]; j += 1) {
        // A row with itself is taken out again in float64, so it has to be put in as such.
        const self = a === b && from[0] + i === from[1] + j;
        const xx = squaresA[from[0] + i]!;
        const xy = self ? xx : values[i * stride + j]! + left[from[0] + i]! + right[from[1] + j]! - own;
        sum += valueOf(xy, xx + squaresB[from[1] + j]!);
      }
    }
  }
  return sum;
}

function productsWith({ rows, width, count }: FeatureSet, vector: Float64Array): Float64Array {
  return Float64Array.from({ length: count }, (_, i) => {
    let sum = 0;
    for (let j = 0; j < width; j += 1) sum += rows[i * width + j]! * vector[j]!;
    return sum;
  });
}

function kernelSumOfSelf(set: FeatureSet, kernel: FeatureKernel): number {
  const valueOf = kernelOf(kernel, set.width);
  return squares(set).reduce((sum, xx) => sum + valueOf(xx, 2 * xx), 0);
}

function squares({ rows, width, count }: FeatureSet): Float64Array {
  return Float64Array.from({ length: count }, (_, i) => {
    let sum = 0;
    for (let j = 0; j < width; j += 1) sum += rows[i * width + j]! ** 2;
    return sum;
  });
}

/** The kernel of x . y and x . x + y . y. It is asked for hundreds of millions of times: no power, and no object for each. */
function kernelOf(kernel: FeatureKernel, width: number): (xy: number, squares: number) => number {
  if (kernel === 'cubic') {
    return (xy) => {
      const base = xy / width + 1;
      return base * base * base;
    };
  }
  const scale = 2 * kernel.gaussian ** 2;
  return (xy, squared) => Math.exp(-Math.max(squared - 2 * xy, 0) / scale);
}

/** The first `of` places of a shuffled list of `count` items: a function of seed and stream. */
export function drawWithoutReplacement(options: {
  readonly count: number;
  readonly of: number;
  readonly seed: number;
  readonly stream: readonly number[];
}): Int32Array {
  const { count, of, seed, stream } = options;
  const uniform = counterGenerator({ seed, stream: [...stream] }).uniform(of);
  const items = Int32Array.from({ length: count }, (_, i) => i);
  for (let i = 0; i < of; i += 1) {
    const other = i + Math.min(Math.floor(uniform[i]! * (count - i)), count - i - 1);
    [items[i], items[other]] = [items[other]!, items[i]!];
  }
  return items.slice(0, of);
}
