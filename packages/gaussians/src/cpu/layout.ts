/** Where things lie in the memory of the kernels: the words of assembly/layout.ts, by the same names. */

export const TILE = 16;
/** Pixels of a tile. */
export const PIXELS = 256;
const BLOCKS = 32;

/** Indices of the 32 bit control words. */
export const SERIAL = 0;
export const STATE = 1;
export const NEXT = 2;
export const KIND = 3;
export const OPEN = 1 << 30;

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
] as const;

export type Job = Readonly<Record<(typeof JOB_WORDS)[number], number>>;

/** First byte that a rendering may use. */
export const FREE = 1024;

/** Numbers of a record before its values: centre, power, reach. */
export const RECORD_HEAD = 8;
/** Numbers of a row of gradients before those of the values: six moments of g = -dL/dsigma, two sums of absolute values. */
export const ROW_HEAD = 8;

/** The power of the kernels is log2(alpha) / 8. */
export const POWER = Math.LOG2E / 8;

/** Bytes of scratch that a thread needs: a tile's blocks of pixels, each with 2 + values planes, and a vector for each value's sum. */
export function scratchBytes(values: number): number {
  return BLOCKS * (2 + values) * 32 + values * 16;
}

/** Numbers of a record or a row, in whole vectors. */
export function stride(values: number): number {
  return Math.ceil((RECORD_HEAD + values) / 4) * 4;
}
