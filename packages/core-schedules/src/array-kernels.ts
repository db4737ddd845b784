/* eslint-disable @typescript-eslint/max-params -- the innermost loops: an object for their arguments would be made at every step */
/** The typed arrays that hold a plain state. */
export type FloatArray = Float32Array | Float64Array;

/** A factor for all elements, and what it multiplies. */
export type ArrayTerm<T extends FloatArray> = readonly [factor: number, value: T];

type Loops<T extends FloatArray> = {
  readonly one: (out: T, a: number, x: T) => void;
  readonly two: (out: T, a: number, x: T, b: number, y: T) => void;
  readonly three: (out: T, a: number, x: T, b: number, y: T, c: number, z: T) => void;
  readonly more: (out: T, terms: readonly [ArrayTerm<T>, ArrayTerm<T>, ArrayTerm<T>, ...ArrayTerm<T>[]]) => void;
  readonly finite: (x: T) => boolean;
};

/*
 * Each loop is there twice, word by word, once for each type: an engine compiles a function for the types that it has seen, and a loop that
 * has seen both kinds of array asks at every element which one it has, which takes twice the time. Closures made of one function share what
 * it has seen. Four elements at a time, what most steps need takes two thirds of the time.
 */

const float32: Loops<Float32Array> = {
  one: (out, a, x) => {
    for (let i = 0; i < out.length; i++) out[i] = a * x[i]!;
  },
  two: (out, a, x, b, y) => {
    const whole = out.length - (out.length % 4);
    for (let i = 0; i < whole; i += 4) {
      out[i] = a * x[i]! + b * y[i]!;
      out[i + 1] = a * x[i + 1]! + b * y[i + 1]!;
      out[i + 2] = a * x[i + 2]! + b * y[i + 2]!;
      out[i + 3] = a * x[i + 3]! + b * y[i + 3]!;
    }
    for (let i = whole; i < out.length; i++) out[i] = a * x[i]! + b * y[i]!;
  },
  three: (out, a, x, b, y, c, z) => {
    for (let i = 0; i < out.length; i++) out[i] = a * x[i]! + b * y[i]! + c * z[i]!;
  },
  more: (out, terms) => {
    const [[a, x], [b, y], [c, z], ...rest] = terms;
    const total = new Float64Array(out.length);
    for (let i = 0; i < total.length; i++) total[i] = a * x[i]! + b * y[i]! + c * z[i]!;
    for (const [d, w] of rest) for (let i = 0; i < total.length; i++) total[i]! += d * w[i]!;
    out.set(total);
  },
  finite: (x) => {
    let [a, b, c, d] = [0, 0, 0, 0];
    const whole = x.length - (x.length % 4);
    for (let i = 0; i < whole; i += 4) {
      a += x[i]! * 0;
      b += x[i + 1]! * 0;
      c += x[i + 2]! * 0;
      d += x[i + 3]! * 0;
    }
    for (let i = whole; i < x.length; i++) a += x[i]! * 0;
    return a + b + c + d === 0;
  },
};

const float64: Loops<Float64Array> = {
  one: (out, a, x) => {
    for (let i = 0; i < out.length; i++) out[i] = a * x[i]!;
  },
  two: (out, a, x, b, y) => {
    const whole = out.length - (out.length % 4);
    for (let i = 0; i < whole; i += 4) {
      out[i] = a * x[i]! + b * y[i]!;
      out[i + 1] = a * x[i + 1]! + b * y[i + 1]!;
      out[i + 2] = a * x[i + 2]! + b * y[i + 2]!;
      out[i + 3] = a * x[i + 3]! + b * y[i + 3]!;
    }
    for (let i = whole; i < out.length; i++) out[i] = a * x[i]! + b * y[i]!;
  },
  three: (out, a, x, b, y, c, z) => {
    for (let i = 0; i < out.length; i++) out[i] = a * x[i]! + b * y[i]! + c * z[i]!;
  },
  more: (out, terms) => {
    const [[a, x], [b, y], [c, z], ...rest] = terms;
    for (let i = 0; i < out.length; i++) out[i] = a * x[i]! + b * y[i]! + c * z[i]!;
    for (const [d, w] of rest) for (let i = 0; i < out.length; i++) out[i]! += d * w[i]!;
  },
  finite: (x) => {
    let [a, b, c, d] = [0, 0, 0, 0];
    const whole = x.length - (x.length % 4);
    for (let i = 0; i < whole; i += 4) {
      a += x[i]! * 0;
      b += x[i + 1]! * 0;
      c += x[i + 2]! * 0;
      d += x[i + 3]! * 0;
    }
    for (let i = whole; i < x.length; i++) a += x[i]! * 0;
    return a + b + c + d === 0;
  },
};

/** The sum of factor * value in one pass over `out`, in float64 and rounded once. Values have the length of `out`. */
export function sumInto<T extends FloatArray>(out: T, terms: readonly ArrayTerm<T>[]): T {
  if (out instanceof Float32Array && every(terms, isFloat32)) sumBy(float32, out, terms);
  else if (out instanceof Float64Array && every(terms, isFloat64)) sumBy(float64, out, terms);
  // Kinds are mixed, which is rare: float64 holds both.
  else
    out.set(
      sumInto(
        new Float64Array(out.length),
        terms.map(([factor, value]) => [factor, Float64Array.from(value)] as const),
      ),
    );
  return out;
}

function sumBy<T extends FloatArray>(loops: Loops<T>, out: T, terms: readonly ArrayTerm<T>[]): void {
  const [first, second, third, ...rest] = terms as readonly [ArrayTerm<T>, ...ArrayTerm<T>[]];
  if (second === undefined) loops.one(out, first[0], first[1]);
  else if (third === undefined) loops.two(out, first[0], first[1], second[0], second[1]);
  else if (rest.length === 0) loops.three(out, first[0], first[1], second[0], second[1], third[0], third[1]);
  else loops.more(out, [first, second, third, ...rest]);
}

const isFloat32 = (value: FloatArray): value is Float32Array => value instanceof Float32Array;
const isFloat64 = (value: FloatArray): value is Float64Array => value instanceof Float64Array;

function every<T extends FloatArray>(
  terms: readonly ArrayTerm<FloatArray>[],
  is: (value: FloatArray) => value is T,
): terms is readonly ArrayTerm<T>[] {
  return terms.every(([, value]) => is(value));
}

/**
 * Whether no element is NaN or infinite. Zero times a number is zero, and times NaN or Infinity NaN: one pass without branches or calls, as
 * it runs at every step. Four sums, because each waits for its own last addition only.
 */
export function allFinite(x: FloatArray): boolean {
  return x instanceof Float32Array ? float32.finite(x) : float64.finite(x);
}
