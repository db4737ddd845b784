import { sizeOf } from '../../shape.ts';
import { broadcastStrides, dot, forEachIndex, forEachLine, type Elements, type Kernels } from './elements.ts';

/** Fold every element into the place it is reduced to. */
function reduceInto([x, out]: readonly [Elements, Elements], axes: readonly number[], fold: (sum: number, value: number) => number): void {
  const kept = x.shape.map((n, axis) => (axes.includes(axis) ? 1 : n));
  const strides = broadcastStrides(kept, x.shape);
  forEachIndex(x.shape, (index, i) => {
    const place = dot(index, strides);
    out.values[place] = fold(out.values[place]!, x.values[i]!);
  });
}

/** Below 0 where a comes first in rising order; NaN is above infinity, and equal to itself. */
function order(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return a < b ? -1 : Number(a > b);
}

export const reductions: Kernels<'sum' | 'max' | 'argMax' | 'cumsum' | 'topKIndices' | 'softmax' | 'normalize'> = {
  sum: ({ params: { axes }, inputs: [x], outputs: [out] }) => reduceInto([x!, out!], axes, (sum, value) => sum + value),

  max({ params: { axes }, inputs: [x], outputs: [out] }) {
    out!.values.fill(-Infinity);
    reduceInto([x!, out!], axes, Math.max);
  },

  argMax({ params: { axis }, inputs: [x], outputs: [out] }) {
    let line = 0;
    forEachLine(x!.shape, axis, (start, step, length) => {
      let best = 0;
      for (let i = 1; i < length; i++) if (order(x!.values[start + best * step]!, x!.values[start + i * step]!) < 0) best = i;
      out!.values[line++] = best;
    });
  },

  cumsum({ params: { axis, direction }, inputs: [x], outputs: [out] }) {
    forEachLine(x!.shape, axis, (start, step, length) => {
      let sum = 0;
      for (let i = 0; i < length; i++) {
        const place = start + (direction === 'forward' ? i : length - 1 - i) * step;
        sum += x!.values[place]!;
        out!.values[place] = sum;
      }
    });
  },

  topKIndices({ params: { axis, k, order: first }, inputs: [x], outputs: [out] }) {
    const ranks: number[][] = [];
    forEachLine(x!.shape, axis, (start, step, length) => {
      const value = (i: number): number => x!.values[start + i * step]!;
      const sign = first === 'largest' ? -1 : 1;
      const indices = Array.from({ length }, (_, i) => i);
      ranks.push(indices.sort((i, j) => sign * order(value(i), value(j)) || i - j));
    });
    let line = 0;
    forEachLine(out!.shape, axis, (start, step) => {
      const ranked = ranks[line++]!;
      for (let i = 0; i < k; i++) out!.values[start + i * step] = ranked[i]!;
    });
  },

  softmax({ params: { axis }, inputs: [x], outputs: [out] }) {
    forEachLine(x!.shape, axis, (start, step, length) => {
      const places = Array.from({ length }, (_, i) => start + i * step);
      const top = places.reduce((largest, place) => Math.max(largest, x!.values[place]!), -Infinity);
      const powers = places.map((place) => Math.exp(x!.values[place]! - top));
      const total = powers.reduce((a, b) => a + b, 0);
      places.forEach((place, i) => (out!.values[place] = powers[i]! / total));
    });
  },

  normalize({ params: { axes, epsilon }, inputs: [x], outputs: [y, mean, inverseDeviation] }) {
    const count = sizeOf(x!.shape.slice(x!.shape.length - axes));
    for (let group = 0; group < mean!.values.length; group++) {
      const values = x!.values.subarray(group * count, (group + 1) * count);
      const average = values.reduce((a, b) => a + b, 0) / count;
      const variance = values.reduce((sum, v) => sum + (v - average) ** 2, 0) / count;
      const inverse = 1 / Math.sqrt(variance + epsilon);
      values.forEach((v, i) => (y!.values[group * count + i] = (v - average) * inverse));
      mean!.values[group] = average;
      inverseDeviation!.values[group] = inverse;
    }
  },
};
