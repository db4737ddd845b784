import type { Generator } from '@langevin/tensor';

/** What golden scripts and tests both compute: where a run begins, what the network says, the noise of a draw. All are nearly dyadic. */

/** Elements of the states of most golden cases, [2, 3, 2, 2]. */
export const CASE_SIZE = 24;

interface Pattern {
  readonly multiplier: number;
  readonly modulus: number;
  readonly offset?: number;
  readonly scale: number;
  readonly size: number;
}

export function pattern({ multiplier, modulus, offset = 0, scale, size }: Pattern): Float64Array {
  return Float64Array.from({ length: size }, (_, i) => (((i * multiplier + offset) % modulus) - Math.floor(modulus / 2)) / scale);
}

export const startState = (size: number): Float64Array => pattern({ multiplier: 7, modulus: 13, scale: 4, size });

export const noiseOf = (draw: number, size: number): Float64Array =>
  pattern({ multiplier: 5, modulus: 17, offset: 3 * draw, scale: 5, size });

/** RePaint's known image, and its mask of halves. */
export const knownImage = (size: number): Float64Array => pattern({ multiplier: 2, modulus: 7, scale: 4, size });
export const knownMask = (size: number): Float64Array => pattern({ multiplier: 1, modulus: 2, scale: 1, size }).map((value) => value + 1);

/** What a callback does to the sample between two calls. */
export function changedSample(x: Float64Array): Float64Array {
  const added = pattern({ multiplier: 5, modulus: 7, offset: 1, scale: 8, size: x.length });
  return x.map((value, i) => 0.5 * value + added[i]!);
}

/** 0.3 x + a constant of the element + 0.1 t / 1000, of two items; `extra` more values of each for networks with learned variance. */
export function networkOutput(x: Float64Array, t: number, extra = 0): Float64Array {
  const shift = pattern({ multiplier: 3, modulus: 11, scale: 8, size: x.length });
  const out = x.map((value, i) => 0.3 * value + shift[i]! + (0.1 * t) / 1000);
  if (extra === 0) return out;
  const item = x.length / 2;
  const added = new Float64Array(extra).fill(0.25);
  return Float64Array.from([...out.slice(0, item), ...added, ...out.slice(item), ...added]);
}

/** A generator whose draws are the noises of the formula, one after another; `drawn` counts them. */
export function patternGenerator(): { readonly generator: Generator; readonly drawn: () => number } {
  let count = 0;
  const generator = { normal: (size: number) => noiseOf(count++, size) } as unknown as Generator;
  return { generator, drawn: () => count };
}
