import { shownValue, UserError } from '@langevin/tensor';
import { checkGiven } from './given.ts';

/**
 * Which numbers stand for a picture: without all of this a distance between features cannot be compared with another one.
 */
export interface FeatureInfo {
  /** Of the network, the version of its recipe included: `mnist-convnet-1`. */
  readonly name: string;
  /** The layer whose outputs are taken. */
  readonly layer: string;
  /** Numbers per item. */
  readonly width: number;
  /** SHA-256 of the weights, in hexadecimal; `none` for features that are computed without any. */
  readonly hash: string;
  /** How items are brought to what the network takes: size, interpolation, range; frames and stride for clips. */
  readonly input: string;
}

/** Features of a set of items: float64 on the host, so that no metric adds up in single precision. */
export interface FeatureSet {
  readonly info: FeatureInfo;
  readonly count: number;
  readonly width: number;
  /** [count, width], row-major. */
  readonly rows: Float64Array;
}

/**
 * Features of items that were computed elsewhere.
 *
 * @param info what computed them
 * @param rows [count, width], row-major
 * @throws UserError when rows are not a multiple of the width, or a number is not finite: the item is named
 * @example
 * const info = { name: 'mean-and-deviation', layer: 'none', width: 2, hash: 'none', input: 'as they are' };
 * featureSet(info, Float64Array.of(0, 1, 0.5, 1.2)).count; // => 2
 */
export function featureSet(info: FeatureInfo, rows: Float64Array | Float32Array): FeatureSet {
  checkInfo('features', { info });
  checkGiven('metrics/features', 'an array of floats', { rows });
  const { width } = info;
  if (rows.length % width !== 0) {
    throw fault(`numbers are not whole rows: length=${rows.length}, width=${width}. Pass [count, width], row-major.`);
  }
  const wrong = rows.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) {
    throw fault(
      `a feature is not finite: item=${Math.floor(wrong / width)}, column=${wrong % width}, value=${rows[wrong]}. Look at that item.`,
    );
  }
  return Object.freeze({ info, count: rows.length / width, width, rows: rows instanceof Float64Array ? rows : Float64Array.from(rows) });
}

/**
 * Refuses to compare features of different networks, layers, weights or inputs.
 *
 * @throws UserError naming the first difference
 */
export function checkSameFeatures(metric: string, a: FeatureInfo, b: FeatureInfo): void {
  checkGiven('metrics/features', 'a text', { metric });
  checkInfo(metric, { a, b });
  for (const key of ['name', 'layer', 'width', 'hash', 'input'] as const) {
    if (a[key] !== b[key]) {
      throw new UserError(
        `[metrics/${metric}] the two sets have features of different kinds: ${key}=${a[key]} and ${b[key]}. Use one extractor.`,
      );
    }
  }
}

/** The widest features: their covariance has 2 GiB. */
const MOST_WIDE = 16_384;

/** @throws UserError for what does not say where features come from, or a width that is none */
export function checkInfo(metric: string, values: Readonly<Record<string, unknown>>): void {
  checkGiven(`metrics/${metric}`, 'an object', values);
  for (const [name, info] of Object.entries(values)) {
    const { width, ...texts } = info as FeatureInfo;
    if (!Number.isSafeInteger(width) || width < 1 || width > MOST_WIDE) {
      throw new UserError(
        `[metrics/${metric}] features have a width in 1..${MOST_WIDE}: ${name}.width=${shownValue(width)}. Give an integer.`,
      );
    }
    for (const key of ['name', 'layer', 'hash', 'input'] as const)
      checkGiven(`metrics/${metric}`, 'a text', { [`${name}.${key}`]: texts[key] });
  }
}

/**
 * @param values what was passed for each argument, by the argument's name
 * @throws UserError naming the first that the function does not make
 */
export function checkMadeBy(metric: string, by: 'featureSet' | 'momentsOf', values: Readonly<Record<string, unknown>>): void {
  const isMade = by === 'featureSet' ? isFeatureSet : isMoments;
  for (const [name, value] of Object.entries(values)) {
    if (isMade(value)) continue;
    const advice = by === 'featureSet' ? 'featureSet(info, rows)' : 'momentsOf(featureSet(info, rows))';
    throw new UserError(`[metrics/${metric}] not what ${by}() gives: ${name}=${shownValue(value)}. Pass ${advice}.`);
  }
}

function isFeatureSet(value: unknown): boolean {
  const { rows, count, width, info } = (value ?? {}) as Partial<FeatureSet>;
  return (
    rows instanceof Float64Array && info?.width === width && [count, width].every(Number.isSafeInteger) && rows.length === count! * width!
  );
}

function isMoments(value: unknown): boolean {
  const { mean, scatter, count, info } = (value ?? {}) as Partial<Readonly<Record<'mean' | 'scatter' | 'count', unknown>>> & {
    readonly info?: FeatureInfo;
  };
  return (
    mean instanceof Float64Array
    && scatter instanceof Float64Array
    && Number.isSafeInteger(count)
    && mean.length === info?.width
    && scatter.length === mean.length ** 2
  );
}

/** @throws UserError when a set is too small for a metric. */
export function checkCount(metric: string, set: Pick<FeatureSet, 'count'>, least: number): void {
  if (set.count >= least) return;
  throw new UserError(`[metrics/${metric}] too few items: count=${set.count}, needed=${least}. Use a larger set.`);
}

/**
 * Some items of a set, in the order of `items`.
 *
 * @example
 * const info = { name: 'height', layer: 'none', width: 1, hash: 'none', input: 'metres' };
 * pickItems(featureSet(info, Float64Array.of(1, 2, 3)), [2, 0]).rows; // => [3, 1]
 */
export function pickItems(set: FeatureSet, items: ArrayLike<number>): FeatureSet {
  checkMadeBy('features', 'featureSet', { set });
  if (!Array.isArray(items) && !(items instanceof Int32Array)) throw fault(`items are no list: items=${shownValue(items)}. Pass integers.`);
  const { width } = set;
  const rows = new Float64Array(items.length * width);
  for (let i = 0; i < items.length; i += 1) {
    const item = items[i]!;
    if (!Number.isSafeInteger(item) || item < 0 || item >= set.count) {
      throw fault(`no such item: item=${shownValue(item)}, count=${set.count}. Give integers from 0 to ${set.count - 1}.`);
    }
    rows.set(set.rows.subarray(item * width, (item + 1) * width), i * width);
  }
  return Object.freeze({ ...set, count: items.length, rows });
}

/**
 * Sets put together, in order: what comes in batches, or was saved and gone on with.
 *
 * @throws UserError for no set, or features of different kinds
 */
export function joinFeatures(sets: readonly FeatureSet[]): FeatureSet {
  checkGiven('metrics/features', 'a list', { sets });
  const [first] = sets;
  if (first === undefined) throw fault('there is no set to join: sets=0. Give at least one.');
  for (const [i, set] of sets.entries()) {
    checkMadeBy('features', 'featureSet', { [`sets[${i}]`]: set });
    checkSameFeatures('features', first.info, set.info);
  }
  const rows = new Float64Array(sets.reduce((sum, set) => sum + set.rows.length, 0));
  let at = 0;
  for (const set of sets) {
    rows.set(set.rows, at);
    at += set.rows.length;
  }
  return Object.freeze({ info: first.info, count: rows.length / first.width, width: first.width, rows });
}

/** The mean row, [width]. */
export function meanOf({ rows, width, count }: Pick<FeatureSet, 'rows' | 'width' | 'count'>): Float64Array {
  const mean = new Float64Array(width);
  for (let k = 0; k < rows.length; k += 1) mean[k % width]! += rows[k]! / count;
  return mean;
}

function fault(text: string): UserError {
  return new UserError(`[metrics/features] ${text}`);
}
