import { integer, list, oneOf, type Field } from '@langevin/tensor/fields';

/** Bounds of sizes that configurations of U-Nets have in common. */
export const channelBounds = { atLeast: 1, atMost: 16384 };
export const levelBounds = { atLeast: 1, atMost: 12 };

/** `UNetResDownBlock2D` and the like are older names of the same blocks. */
export function blockType<const Name extends string>(fallback: NoInfer<Name>, names: readonly Name[]): Field<Name> {
  const field = oneOf<Name>(fallback, names);
  return {
    ...field,
    parse: (value) => field.parse(typeof value === 'string' && value.startsWith('UNetRes') ? value.slice('UNetRes'.length) : value),
  };
}

const side = integer(1, channelBounds);
const heightAndWidth = list([], side, { atLeast: 2, atMost: 2 });

/** One side for square samples, or height and width. */
export const sampleSize: Field<number | readonly number[]> = {
  fallback: 32,
  parse: (value) => (Array.isArray(value) ? heightAndWidth : side).parse(value),
};
