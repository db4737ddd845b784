import type { Algebra, Coefficient, ErrorScale, Term } from '@langevin/core';
import { shownValue, UserError } from '@langevin/tensor';
import { allFinite, sumInto, type FloatArray } from './array-kernels.ts';
import { checkParts, checkQuantile } from './check.ts';

export type { FloatArray } from './array-kernels.ts';

/** The algebra of both kinds of array: an Algebra<Float32Array> and an Algebra<Float64Array>. */
export interface ArrayAlgebra extends Pick<Algebra<FloatArray>, 'name' | 'realize' | 'items' | 'size' | 'toHost' | 'complaint'> {
  readonly linear: <T extends FloatArray>(...terms: readonly Term<T>[]) => T;
  readonly fromHost: <T extends FloatArray>(values: FloatArray, like: T, shape?: readonly number[]) => T;
  readonly perItem: <T extends FloatArray>(coefficient: Coefficient, like: T) => T;
  readonly multiply: <T extends FloatArray>(a: T, b: T) => T;
  readonly exp: <T extends FloatArray>(x: T) => T;
  readonly clamp: <T extends FloatArray>(x: T, limit: Coefficient) => T;
  readonly concat: <T extends FloatArray>(states: readonly T[]) => T;
  readonly split: <T extends FloatArray>(x: T, parts: number) => readonly T[];
  readonly scaledRms: <T extends FloatArray>(error: T, scale: ErrorScale<T>) => Promise<readonly number[]>;
  readonly absQuantile: <T extends FloatArray>(x: T, q: number) => Promise<readonly number[]>;
}

export interface ArrayAlgebraOptions {
  /** Number of items of the batch that the array holds one after another: a divisor of its length. @default 1 */
  readonly items?: number;
}

/**
 * States as plain typed arrays, no engine needed. Results have the type of the first term; sums are in float64.
 *
 * @throws UserError when lengths differ or the array does not divide into its items
 * @example
 * arrayAlgebra().linear([2, Float64Array.of(1, 2)], [-1, Float64Array.of(1, 1)]); // => [1, 3]
 */
export function arrayAlgebra(options: ArrayAlgebraOptions = {}): ArrayAlgebra {
  const { items = 1 } = options;
  if (!Number.isInteger(items) || items < 1)
    throw new UserError(`[core-schedules/algebra] items must be a positive integer: items=${items}. Pass the batch size.`);
  const itemSize = (x: FloatArray): number => {
    if (x.length % items !== 0)
      throw new UserError(
        `[core-schedules/algebra] the array does not divide into its items: length=${x.length}, items=${items}. Pass items as the `
          + 'batch size.',
      );
    return x.length / items;
  };
  return Object.freeze({
    name: 'arrays',
    linear: <T extends FloatArray>(...terms: readonly Term<T>[]): T => {
      checkTerms(terms);
      const shared = terms.flatMap(([c, value]): [number, T][] => (typeof c === 'number' ? [[c, value]] : []));
      return shared.length === terms.length ? sumInto(emptyLike(terms[0]![1]), shared) : itemwise(terms, items);
    },
    realize: () => Promise.resolve(),
    items: () => items,
    size: (x: FloatArray) => x.length,
    fromHost: <T extends FloatArray>(values: FloatArray, like: T, shape?: readonly number[]): T => {
      const length = shape === undefined ? like.length : shape.reduce((product, size) => product * size, 1);
      if (values.length !== length)
        throw new UserError(
          `[core-schedules/algebra] values do not fill the state: values=${values.length}, state=${length}. Pass as many.`,
        );
      return copyInto(emptyLike(like, length), values);
    },
    toHost: (x: FloatArray): Promise<FloatArray> => Promise.resolve(x.slice()),
    perItem: <T extends FloatArray>(coefficient: Coefficient, like: T): T => {
      const list = typeof coefficient === 'number' ? Array.from({ length: items }, () => coefficient) : coefficient;
      checkCount(list.length, items);
      return copyInto(emptyLike(like, list.length), list);
    },
    multiply: <T extends FloatArray>(a: T, b: T): T => {
      if (a.length !== b.length)
        throw new UserError(`[core-schedules/algebra] lengths differ: ${a.length} and ${b.length}. Multiply states of one shape.`);
      const out = emptyLike(a);
      for (let i = 0; i < out.length; i++) out[i] = a[i]! * b[i]!;
      return out;
    },
    exp: <T extends FloatArray>(x: T): T => {
      const out = emptyLike(x);
      for (let i = 0; i < out.length; i++) out[i] = Math.exp(x[i]!);
      return out;
    },
    clamp: <T extends FloatArray>(x: T, limit: Coefficient): T => {
      const limits = typeof limit === 'number' ? [limit] : limit;
      if (typeof limit !== 'number') checkCount(limit.length, items);
      const out = emptyLike(x);
      const size = x.length / limits.length;
      for (let i = 0; i < out.length; i++) {
        const bound = limits[Math.floor(i / size)]!;
        out[i] = Math.min(bound, Math.max(-bound, x[i]!));
      }
      return out;
    },
    concat: <T extends FloatArray>(states: readonly T[]): T => {
      const [first] = states;
      if (first === undefined) throw new UserError('[core-schedules/algebra] nothing to put together: states=0. Pass at least one.');
      const out = emptyLike(
        first,
        states.reduce((total, state) => total + state.length, 0),
      );
      let at = 0;
      for (const state of states) {
        out.set(state, at);
        at += state.length;
      }
      return out;
    },
    split: <T extends FloatArray>(x: T, parts: number): readonly T[] => {
      checkParts(x.length, parts);
      const size = x.length / parts;
      return Array.from({ length: parts }, (_, k) => x.slice(k * size, (k + 1) * size) as T);
    },
    scaledRms: <T extends FloatArray>(error: T, scale: ErrorScale<T>): Promise<readonly number[]> => {
      const size = itemSize(error);
      return Promise.resolve(Array.from({ length: items }, (_, item) => rmsOf(error, scale, { from: item * size, size })));
    },
    absQuantile: <T extends FloatArray>(x: T, q: number): Promise<readonly number[]> => {
      checkQuantile(q);
      const size = itemSize(x);
      return Promise.resolve(
        Array.from({ length: items }, (_, item) =>
          quantile(
            x
              .slice(item * size, (item + 1) * size)
              .map(Math.abs)
              .sort(),
            q,
          ),
        ),
      );
    },
    complaint: (y: FloatArray, x: FloatArray): string | undefined => {
      if (!(y instanceof Float32Array || y instanceof Float64Array)) return `it is not a Float32Array or Float64Array: ${shownValue(y)}`;
      if (y.length !== x.length) return `length ${y.length}, expected ${x.length}`;
      if (allFinite(y)) return undefined;
      const bad = y.findIndex((value) => !Number.isFinite(value));
      return `element ${bad} is ${y[bad]}`;
    },
  });
}

/** A zeroed array of the same class. */
function emptyLike<T extends FloatArray>(x: T, length = x.length): T {
  return new (x.constructor as new (length: number) => T)(length);
}

function copyInto<T extends FloatArray>(out: T, values: ArrayLike<number>): T {
  out.set(values);
  return out;
}

function checkTerms<T extends FloatArray>(terms: readonly Term<T>[]): void {
  if (terms.length === 0) throw new UserError('[core-schedules/algebra] a linear combination needs a term: terms=0. Pass at least one.');
  const length = terms[0]![1].length;
  const wrong = terms.findIndex(([, value]) => value.length !== length);
  if (wrong > 0)
    throw new UserError(
      `[core-schedules/algebra] lengths differ: term 0 has ${length}, term ${wrong} has ${terms[wrong]![1].length}. Combine states `
        + 'of one shape.',
    );
}

function rmsOf(
  error: FloatArray,
  { absolute, relative, of }: ErrorScale<FloatArray>,
  { from, size }: { readonly from: number; readonly size: number },
): number {
  let total = 0;
  for (let i = from; i < from + size; i++) {
    let greatest = 0;
    for (const state of of) greatest = Math.max(greatest, Math.abs(state[i]!));
    total += (error[i]! / Math.max(absolute, relative * greatest)) ** 2;
  }
  return Math.sqrt(total / size);
}

/** Of sorted values, as numpy and torch interpolate. */
function quantile(sorted: FloatArray, q: number): number {
  const at = q * (sorted.length - 1);
  const below = Math.floor(at);
  const low = sorted[below]!;
  return low + (at - below) * ((sorted[below + 1] ?? low) - low);
}

/** A batch of several states put together has a coefficient for each item of each of them. */
function checkCount(count: number, items: number): void {
  if (count === 0 || count % items !== 0)
    throw new UserError(
      `[core-schedules/algebra] one coefficient for each item: coefficients=${count}, items=${items}. Pass a number, or as many as `
        + 'there are items.',
    );
}

function itemwise<T extends FloatArray>(terms: readonly Term<T>[], items: number): T {
  const out = emptyLike(terms[0]![1]);
  const parts = Math.max(...terms.map(([c]) => (typeof c === 'number' ? items : c.length)));
  const size = out.length / parts;
  const factors = terms.map(([c]) => {
    if (typeof c === 'number') return (): number => c;
    checkCount(c.length, items);
    if (c.length !== parts)
      throw new UserError(
        `[core-schedules/algebra] one coefficient for each item: coefficients=${c.length}, items=${parts}. Pass as many as there `
          + 'are items.',
      );
    return (item: number): number => c[item]!;
  });
  if (!Number.isInteger(size))
    throw new UserError(
      `[core-schedules/algebra] the array does not divide into its items: length=${out.length}, items=${parts}. Pass items as the `
        + 'batch size.',
    );
  for (let item = 0; item < parts; item++) {
    const part = (x: T): T => x.subarray(item * size, (item + 1) * size) as T;
    sumInto(
      part(out),
      terms.map(([, value], k) => [factors[k]!(item), part(value)] as const),
    );
  }
  return out;
}
