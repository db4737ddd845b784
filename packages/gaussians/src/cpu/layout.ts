/** Where things lie in the memory of the kernels: the words of assembly/layout.ts, by the same names. */

export const TILE = 16;
/** Pixels of a tile. */
export const PIXELS = 256;
/** Vectors of four pixels of a tile. */
const VECTORS = 64;

/** Indices of the 32 bit control words. */
export const SERIAL = 0;
export const STATE = 1;
export const NEXT = 2;
export const KIND = 3;
export const PIECES = 4;
export const OPEN = 1 << 30;
export const AWAITED = 1 << 29;

/** Index of the job's first word, and the order of its words. */
export const JOB = 16;
export const JOB_WORDS = [
  'records',
  'entries',
  'masks',
  'starts',
  'transmittance',
  'stops',
  'scratch',
  'scratchStride',
  'color',
  'alpha',
  'depth',
  'rows',
  'recordStride',
  'rowStride',
  'width',
  'height',
  'tilesX',
  'tiles',
  'channels',
  'expected',
  'background',
  'means',
  'quaternions',
  'logScales',
  'opacityLogits',
  'sh',
  'colors',
  'features',
  'radii',
  'keys',
  'firstPairs',
  'pairCounts',
  'pairs',
  'lens',
  'count',
  'degree',
  'shRow',
  'featureChannels',
  'mip',
  'pinhole',
  'vMeans',
  'vQuaternions',
  'vLogScales',
  'vOpacityLogits',
  'vSh',
  'vColors',
  'vFeatures',
  'vMeans2d',
  'vAbsoluteMeans2d',
  'vCamera',
  'vBackground',
  'chunks',
  'image',
  'target',
  'gradient',
  'maps',
  'pitch',
  'lossScales',
  'lossSums',
  'absolute',
  'spans',
  'chunkCounts',
  'sorting',
  'rowList',
  'rowStarts',
  'rowEntries',
  'tilesY',
  'adamGroups',
  'adamCount',
  'adamRule',
  'checks',
] as const;

/** What a job does, in the order of its numbers. */
export const KINDS = [
  'project',
  'forward',
  'backward',
  'projectBackward',
  'lossForward',
  'lossBackward',
  'sort',
  'binTiles',
  'adam',
] as const;

/** Gaussians that a thread takes at a time. */
export const CHUNK = 256;
/** Bytes that sorting needs. */
export function sortingBytes(count: number, tilesY: number): number {
  return 16 * count + 4 * 3 * 2048 + 4 * tilesY;
}
/** Rows of a picture that a thread takes at a time when it compares, and bytes of scratch that it needs for them. */
export const BAND = 32;
export const BAND_SCRATCH = 4 * 512 + (BAND + 10) * 1536;

export type Job = Readonly<Record<(typeof JOB_WORDS)[number], number>>;

/** First byte that a rendering may use; before it are the words above and the tables of the compiler. */
export const FREE = 32_768;

/**
 * Numbers of a record before its values: centre, shape and reach. Numbers of a row of gradients before them: six moments and two sums of
 * absolute values.
 */
const RECORD_HEAD = 12;
const ROW_HEAD = 8;

/** Bytes of the list of runs of assembly/cover.ts, with what lies before it: 16 Gaussians, each in 4 columns, each in 2 runs at most. */
const LIST_BYTES = 192 + 16 * 4 * 2 * 96;

/**
 * Bytes of scratch that a thread needs: for each vector of a tile's pixels, and once more for sums, 3 + values vectors; then the list of
 * runs.
 */
export function scratchBytes(values: number): number {
  return (VECTORS + 1) * (3 + values) * 16 + LIST_BYTES;
}

/** Bytes of a record and of a row of gradients, in whole vectors. */
export function recordBytes(values: number): number {
  return 16 * Math.ceil((RECORD_HEAD + values) / 4);
}

export function rowBytes(values: number): number {
  return 16 * Math.ceil((ROW_HEAD + values) / 4);
}
