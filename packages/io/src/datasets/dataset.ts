import { readOptions, shownValue, UserError } from '@langevin/tensor';

/** Labelled images of one size, wholly in memory. */
export interface Dataset {
  readonly name: string;
  readonly length: number;
  readonly imageShape: readonly [channels: number, height: number, width: number];
  /** What each label stands for, or null when the images are not labelled; labels are then 0. */
  readonly classes: readonly string[] | null;
  /** Files that were left out because `onUnreadable` is 'skip'. */
  readonly skipped: readonly SkippedFile[];
  /** @throws {UserError} when i is not an integer from 0 to length - 1 */
  item(i: number): DatasetItem;
  /** What a person would call the item: a file name, an emoji's name. */
  itemName(i: number): string;
}

export interface DatasetItem {
  /** uint8, planar [C, H, W]; a view of the data set's memory, not to be changed. */
  readonly image: Uint8Array;
  readonly label: number;
}

export interface SkippedFile {
  readonly path: string;
  readonly reason: string;
}

/** A kind of data set, found by its name. */
export interface DatasetPlugin<Options = unknown> {
  readonly name: string;
  /** One sentence for listings. */
  readonly summary: string;
  /** Load. Options may come straight from a configuration file: they are checked, whatever their type says. */
  load(options: Options): Promise<Dataset>;
}

/**
 * Describe a kind of data set. One file that calls this is all that a new kind needs.
 *
 * @param definition.parse checks untrusted options and fills defaults
 * @example
 * import { defineDataset, memoryDataset } from '@langevin/io';
 * const black = defineDataset({
 *   name: 'black', summary: 'One black pixel.', parse: () => ({}),
 *   load: async () => memoryDataset({ name: 'black', imageShape: [1, 1, 1], images: new Uint8Array(1) }),
 * });
 * (await black.load({})).length; // => 1
 */
export function defineDataset<Options, Input = unknown>(definition: {
  readonly name: string;
  readonly summary: string;
  readonly parse: (options: unknown) => Options;
  readonly load: (options: Options) => Promise<Dataset>;
}): DatasetPlugin<Input> {
  const { name, summary, parse, load } = readOptions('io/datasets', definition);
  if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name)) {
    throw new UserError(`[io/datasets] name=${JSON.stringify(name)} is not kebab-case. Use lower-case letters, digits and hyphens.`);
  }
  return Object.freeze({ name, summary, load: async (options: Input) => load(parse(options)) });
}

export interface MemoryDatasetInit {
  readonly name: string;
  readonly imageShape: Dataset['imageShape'];
  /** uint8 [N, C, H, W] */
  readonly images: Uint8Array;
  /** int32 [N], each below the number of classes. @default all 0 */
  readonly labels?: Int32Array;
  /** @default null, for unlabelled images */
  readonly classes?: readonly string[] | null;
  /** @default the index */
  readonly names?: readonly string[];
  /** @default none */
  readonly skipped?: readonly SkippedFile[];
}

/** A data set over arrays. @throws {UserError} when their sizes disagree, it is empty, or a label has no class */
export function memoryDataset(init: MemoryDatasetInit): Dataset {
  const { name, imageShape, images, classes = null, names, skipped = [] } = readOptions('io/datasets', init);
  if (!Array.isArray(imageShape) || imageShape.length !== 3 || !(images instanceof Uint8Array))
    throw new UserError(
      `[io/datasets] ${String(name)}: imageShape=${shownValue(imageShape)}, images=${shownValue(images)}. Pass [channels, height, width] `
        + 'and a Uint8Array.',
    );
  const where = `[io/datasets] ${name}`;
  const size = imageShape[0] * imageShape[1] * imageShape[2];
  if (!imageShape.every((side) => Number.isSafeInteger(side) && side > 0)) {
    throw new UserError(`${where}: imageShape=[${imageShape.join(', ')}] must be positive integers.`);
  }
  const length = images.length / size;
  if (!Number.isInteger(length) || length === 0) {
    throw new UserError(`${where}: ${images.length} bytes are not one or more images of ${size}. Check the files.`);
  }
  const labels = init.labels ?? new Int32Array(length);
  if (labels.length !== length || (names !== undefined && names.length !== length)) {
    throw new UserError(
      `${where}: images=${length}, labels=${labels.length}, names=${names?.length ?? 'none'} must be as many. Check the files.`,
    );
  }
  const bound = classes?.length ?? 1;
  const bad = labels.findIndex((label) => label < 0 || label >= bound);
  if (bad >= 0) throw new UserError(`${where}: labels[${bad}]=${labels[bad]} is not from 0 to ${bound - 1}. Check the files.`);
  const check = (i: number): void => {
    if (!Number.isInteger(i) || i < 0 || i >= length) throw new UserError(`${where}: item ${i} does not exist; length=${length}.`);
  };
  return Object.freeze({
    name,
    length,
    imageShape,
    classes,
    skipped,
    item: (i: number) => {
      check(i);
      return { image: images.subarray(i * size, (i + 1) * size), label: labels[i]! };
    },
    itemName: (i: number) => {
      check(i);
      return names?.[i] ?? `${name}[${i}]`;
    },
  });
}

/** The largest data set held in memory, in bytes; above it, loading fails before anything is allocated. */
export const MAX_DATASET_BYTES = 8 * 2 ** 30;

/** Allocate the pixels of a data set. @throws {UserError} when they would exceed {@link MAX_DATASET_BYTES} */
export function allocateImages(count: number, imageShape: Dataset['imageShape'], name: string): Uint8Array {
  const bytes = imageShape.reduce((product, side) => product * side, count);
  if (bytes > MAX_DATASET_BYTES) {
    throw new UserError(
      `[io/datasets] ${name} does not fit in memory: ${count} images of [${imageShape.join(', ')}] are ${bytes} bytes, `
        + `limit=${MAX_DATASET_BYTES}. Use a smaller size or fewer images.`,
    );
  }
  return new Uint8Array(bytes);
}
