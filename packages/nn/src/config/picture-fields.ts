import { integer, list, type Field } from '@langevin/tensor/fields';

/** Bounds of sizes that configurations of networks over pictures have in common. */
export const channelBounds = { atLeast: 1, atMost: 16384 };
export const levelBounds = { atLeast: 1, atMost: 12 };

const side = integer(1, channelBounds);
const heightAndWidth = list([], side, { atLeast: 2, atMost: 2 });

/** One side for square samples, or height and width. */
export const sampleSize: Field<number | readonly number[]> = {
  fallback: 32,
  parse: (value) => (Array.isArray(value) ? heightAndWidth : side).parse(value),
};
