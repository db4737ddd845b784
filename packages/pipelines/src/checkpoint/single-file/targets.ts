import { UnsupportedError, type Tensor } from '@langevin/tensor';
import { concat, reshape, slice, transpose } from '@langevin/tensor';

/** Names of a file, without the prefix of a part, with the shapes of their tensors. */
export type Shapes = ReadonlyMap<string, readonly number[]>;

/** A parameter of a class that a tensor of a file, or a part of it, is. */
export interface Target {
  readonly to: string;
  /** What has to be done to the values. @default nothing */
  readonly values?: (stored: Tensor) => Tensor;
}

/** What a tensor of a file becomes; undefined for a name that the layout does not have. */
export type Naming = (name: string) => readonly Target[] | undefined;

/** A projection over pixels as a matrix, whether it is stored as one or as a convolution of one pixel. */
export function asMatrix(stored: Tensor): Tensor {
  return stored.rank > 2 ? reshape(stored, stored.shape.slice(0, 2)) : stored;
}

/** The same as a convolution. */
export function asConvolution(stored: Tensor): Tensor {
  return stored.rank === 2 ? reshape(stored, [...stored.shape, 1, 1]) : stored;
}

export function transposed(stored: Tensor): Tensor {
  return transpose(stored, [1, 0]);
}

/** (shift, scale) of the original programs as (scale, shift) of diffusers. */
export function halvesSwapped(stored: Tensor): Tensor {
  const half = stored.shape[0]! / 2;
  return concat([slice(stored, { 0: { start: half } }), slice(stored, { 0: { stop: half } })], 0);
}

/** A weight whose rows belong to several parameters: so many times `width` for each, the rest for the last. */
export function rowsOf(
  names: readonly string[],
  width: (stored: Tensor) => number = (stored) => stored.shape[0]! / names.length,
): readonly Target[] {
  return names.map((to, i) => ({
    to,
    values: (stored: Tensor) => {
      const rows = width(stored);
      return slice(stored, { 0: { start: i * rows, ...(i < names.length - 1 && { stop: (i + 1) * rows }) } });
    },
  }));
}

/** A table of modules by name: `weight` and `bias` go with them. */
export function moduleOf(name: string, table: Readonly<Record<string, string>>): string | undefined {
  const dot = name.lastIndexOf('.');
  const module = dot < 0 ? name : name.slice(0, dot);
  return Object.hasOwn(table, module) ? `${table[module]!}${name.slice(module.length)}` : undefined;
}

/** How many there are of what a pattern numbers in its first group: 3 for 0, 1 and 2. */
export function countOf(shapes: Shapes, pattern: RegExp): number {
  let count = 0;
  for (const name of shapes.keys()) {
    const match = pattern.exec(name);
    if (match !== null) count = Math.max(count, Number(match[1]) + 1);
  }
  return count;
}

/** A size of a tensor from which a configuration follows. @throws UnsupportedError when the file does not have it */
export function sizeIn(shapes: Shapes, name: string, axis: number): number {
  const size = shapes.get(name)?.[axis];
  if (size !== undefined) return size;
  throw new UnsupportedError(
    `[pipelines/single-file] tensor that says the size of the model is missing: name=${name}, axis=${axis}. Give a folder of `
      + 'configurations with the option config.',
  );
}
