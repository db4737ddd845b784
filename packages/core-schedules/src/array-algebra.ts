import { UserError } from '@langevin/tensor';
import type { Algebra, Coefficient, Term } from './algebra.ts';

/** The typed arrays that hold a plain state. */
export type FloatArray = Float32Array | Float64Array;

/** The algebra of both kinds of array: an Algebra<Float32Array> and an Algebra<Float64Array>. */
export interface ArrayAlgebra extends Pick<Algebra<FloatArray>, 'name' | 'realize' | 'items' | 'size' | 'toHost' | 'complaint'> {
  readonly linear: <T extends FloatArray>(...terms: readonly Term<T>[]) => T;
  readonly fromHost: <T extends FloatArray>(values: FloatArray, like: T) => T;
  readonly perItem: <T extends FloatArray>(coefficient: Coefficient, like: T) => T;
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
  if (!Number.isInteger(items) || items < 1) throw new UserError(`[core-schedules/algebra] items must be a positive integer: items=${items}. Pass the batch size.`);
  const itemSize = (x: FloatArray): number => {
    if (x.length % items !== 0) throw new UserError(`[core-schedules/algebra] the array does not divide into its items: length=${x.length}, items=${items}. Pass items as the batch size.`);
    return x.length / items;
  };
  return Object.freeze({
    name: 'arrays',
    linear: <T extends FloatArray>(...terms: readonly Term<T>[]): T => {
      checkTerms(terms);
      const shared = terms.flatMap(([c, value]): [number, T][] => (typeof c === 'number' ? [[c, value]] : []));
      return shared.length === terms.length ? sum(shared, emptyLike(terms[0]![1])) : itemwise(terms, items, itemSize(terms[0]![1]));
    },
    realize: () => Promise.resolve(),
    items: () => items,
    size: (x: FloatArray) => x.length,
    fromHost: <T extends FloatArray>(values: FloatArray, like: T): T => {
      if (values.length !== like.length) throw new UserError(`[core-schedules/algebra] values do not fill the state: values=${values.length}, state=${like.length}. Pass as many.`);
      return copyInto(emptyLike(like), values);
    },
    toHost: (x: FloatArray): Promise<FloatArray> => Promise.resolve(x.slice()),
    perItem: <T extends FloatArray>(coefficient: Coefficient, like: T): T => {
      const list = typeof coefficient === 'number' ? Array.from({ length: items }, () => coefficient) : coefficient;
      checkCount(list.length, items);
      return copyInto(emptyLike(like, items), list);
    },
    complaint: (y: FloatArray, x: FloatArray): string | undefined => {
      if (!(y instanceof Float32Array || y instanceof Float64Array)) return `it is not a Float32Array or Float64Array: ${describe(y)}`;
      if (y.length !== x.length) return `length ${y.length}, expected ${x.length}`;
      if (allFinite(y)) return undefined;
      const bad = y.findIndex((value) => !Number.isFinite(value));
      return `element ${bad} is ${y[bad]}`;
    },
  });
}

/** Zero times a number is zero, and times NaN or Infinity NaN: one pass without branches or calls, as it runs at every step. */
function allFinite(y: FloatArray): boolean {
  let total = 0;
  for (let i = 0; i < y.length; i++) total += y[i]! * 0;
  return total === 0;
}

function describe(value: unknown): string {
  return typeof value === 'object' && value !== null ? value.constructor.name : String(value);
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
  if (wrong > 0) throw new UserError(`[core-schedules/algebra] lengths differ: term 0 has ${length}, term ${wrong} has ${terms[wrong]![1].length}. Combine states of one shape.`);
}

function checkCount(count: number, items: number): void {
  if (count !== items) throw new UserError(`[core-schedules/algebra] one coefficient for each item: coefficients=${count}, items=${items}. Pass a number, or as many as there are items.`);
}

/** Unrolled for the lengths that samplers use. */
function sum<T extends FloatArray>(terms: readonly (readonly [number, T])[], out: T): T {
  const [[a, x], second, third] = terms as readonly [readonly [number, T], ...(readonly [number, T])[]];
  if (second === undefined) {
    for (let i = 0; i < out.length; i++) out[i] = a * x[i]!;
  } else if (third === undefined) {
    const [b, y] = second;
    for (let i = 0; i < out.length; i++) out[i] = a * x[i]! + b * y[i]!;
  } else if (terms.length === 3) {
    const [b, y] = second;
    const [c, z] = third;
    for (let i = 0; i < out.length; i++) out[i] = a * x[i]! + b * y[i]! + c * z[i]!;
  } else {
    for (let i = 0; i < out.length; i++) {
      let total = 0;
      for (const [c, value] of terms) total += c * value[i]!;
      out[i] = total;
    }
  }
  return out;
}

function itemwise<T extends FloatArray>(terms: readonly Term<T>[], items: number, itemSize: number): T {
  const out = emptyLike(terms[0]![1]);
  const factors = terms.map(([c]) => {
    if (typeof c !== 'number') checkCount(c.length, items);
    return (item: number): number => (typeof c === 'number' ? c : c[item]!);
  });
  for (let item = 0; item < items; item++) {
    const part = (x: T): T => x.subarray(item * itemSize, (item + 1) * itemSize) as T;
    sum(terms.map(([, value], k) => [factors[k]!(item), part(value)] as const), part(out));
  }
  return out;
}
