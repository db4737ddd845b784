// Where things lie. Every address is a byte offset into the one memory; src/cpu/layout.ts says the same to TypeScript, and a test compares.

/** Sides of a tile in pixels, and of a block of pixels, which is two vectors of four. */
export const TILE: i32 = 16;
export const PIXELS: i32 = 256;
export const BLOCKS: i32 = 32;

/** Control words, shared by all threads. */
export const SERIAL: usize = 0;
export const STATE: usize = 4;
export const NEXT: usize = 8;
export const KIND: usize = 12;
export const OPEN: i32 = 1 << 30;

/** The job, from here on: 32 bit words. */
export const JOB: usize = 64;

// @ts-ignore: decorator
@inline
export function word(index: i32): i32 {
  return load<i32>(JOB + (<usize>index << 2));
}

export const RECORDS: i32 = 0;
export const ENTRIES: i32 = 1;
export const MASKS: i32 = 2;
export const STARTS: i32 = 3;
export const TRANSMITTANCE: i32 = 4;
export const STOPS: i32 = 5;
export const SCRATCH: i32 = 6;
/** Bytes of scratch for each thread. */
export const SCRATCH_STRIDE: i32 = 7;
export const COLOR: i32 = 8;
export const ALPHA: i32 = 9;
/** 0 when there is no depth. */
export const DEPTH: i32 = 10;
export const ROWS: i32 = 11;
/** Bytes of a record, and of a row of gradients. */
export const RECORD_STRIDE: i32 = 12;
export const ROW_STRIDE: i32 = 13;
export const WIDTH: i32 = 14;
export const HEIGHT: i32 = 15;
export const TILES_X: i32 = 16;
export const TILES: i32 = 17;
/** Colour and features, without depth. */
export const CHANNELS: i32 = 18;
/** 1 to divide depth by alpha. */
export const EXPECTED: i32 = 19;
export const BACKGROUND: i32 = 20;

/** Words of a record. The power is log2(alpha) / 8 = A dx^2 + B dx dy + C dy^2 + L. */
export const MX: usize = 0;
export const MY: usize = 4;
export const A: usize = 8;
export const B: usize = 12;
export const C: usize = 16;
export const L: usize = 20;
export const RX: usize = 24;
export const RY: usize = 28;
export const VALUES: usize = 32;

/** Bytes of a block in scratch: two planes of eight pixels, then one for each value that is blended. */
export const PLANE: usize = 32;
