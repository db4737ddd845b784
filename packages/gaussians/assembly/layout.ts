// Where things lie. Every address is a byte offset into the one memory; src/cpu/layout.ts says the same to TypeScript, and a test compares.

/** Sides of a tile in pixels. Its pixels lie in four columns of four, row by row: a row of a column is a vector. */
export const TILE: i32 = 16;
export const PIXELS: i32 = 256;
export const VECTORS: i32 = 64;

/** Control words, shared by all threads. */
export const SERIAL: usize = 0;
export const STATE: usize = 4;
export const NEXT: usize = 8;
export const KIND: usize = 12;
/** How many pieces the job has. */
export const PIECES: usize = 16;
export const OPEN: i32 = 1 << 30;
/** Somebody waits to be told that all have left. */
export const AWAITED: i32 = 1 << 29;

/** In an entry of a tile's list, beside the Gaussian's number: some pixel was finished there. */
export const STOPPED: u32 = 1 << 31;

/** The job, from here on: 32 bit words. */
export const JOB: usize = 64;

@inline
export function word(index: i32): i32 {
  return load<i32>(JOB + ((<usize>index) << 2));
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
/** The scene, as the caller has it; 0 for what is not given. */
export const MEANS: i32 = 21;
export const QUATERNIONS: i32 = 22;
export const LOG_SCALES: i32 = 23;
export const LOGITS: i32 = 24;
export const SH: i32 = 25;
export const COLORS: i32 = 26;
export const FEATURES: i32 = 27;
export const RADII: i32 = 28;
/** Bits of the depth of each Gaussian that is drawn, as float32. */
export const KEYS: i32 = 29;
/** Where the entries of each Gaussian are: pairs FIRST_PAIR to FIRST_PAIR + PAIR_COUNT of the list PAIRS, in the order of tiles. */
export const FIRST_PAIRS: i32 = 30;
export const PAIR_COUNTS: i32 = 31;
export const PAIRS: i32 = 32;
/** Numbers of the camera, see below. */
export const LENS: i32 = 33;
export const COUNT: i32 = 34;
export const DEGREE: i32 = 35;
/** Numbers in a row of the spherical harmonics. */
export const SH_ROW: i32 = 36;
export const FEATURE_CHANNELS: i32 = 37;
export const MIP: i32 = 38;
export const PINHOLE: i32 = 39;
export const V_MEANS: i32 = 40;
export const V_QUATERNIONS: i32 = 41;
export const V_LOG_SCALES: i32 = 42;
export const V_LOGITS: i32 = 43;
export const V_SH: i32 = 44;
export const V_COLORS: i32 = 45;
export const V_FEATURES: i32 = 46;
export const V_MEANS2D: i32 = 47;
export const V_ABSOLUTE: i32 = 48;
/** A row of float64 for each chunk of Gaussians, and for each tile. */
export const V_CAMERA: i32 = 49;
export const V_BACKGROUND: i32 = 50;
export const CHUNKS: i32 = 51;
/** What a loss compares, and the gradient by the image, [height, width, 3]. */
export const IMAGE: i32 = 52;
export const TARGET: i32 = 53;
export const GRADIENT: i32 = 54;
/** Three planes of gradients by the windows' means, with rows of PITCH bytes. */
export const MAPS: i32 = 55;
export const PITCH: i32 = 56;
/** Two float32: what SSIM and L1 count for. */
export const LOSS_SCALES: i32 = 57;
/** For each band of rows, three float64: sums of SSIM, of absolute differences and of their squares. */
export const LOSS_SUMS: i32 = 58;
/** 1 to sum absolute values of gradients of places. */
export const ABSOLUTE: i32 = 59;
/** Tiles that each Gaussian reaches: four u16, the first and last column and row. */
export const SPANS: i32 = 60;
/** For each chunk of Gaussians, two u32: how many tiles they reach, and how many rows of tiles. */
export const CHUNK_COUNTS: i32 = 61;
/** What sorting needs: four u32 for each Gaussian, the counters of three digits, and a u32 for each row of tiles. */
export const SORTING: i32 = 62;
/** The Gaussians of each row of tiles, nearest first: those of row r from ROW_STARTS[r] on, with their entries from ROW_ENTRIES[r] on. */
export const ROW_LIST: i32 = 63;
export const ROW_STARTS: i32 = 64;
export const ROW_ENTRIES: i32 = 65;
export const TILES_Y: i32 = 66;
/** Groups of columns that the optimiser steps, and its five numbers. */
export const ADAM_GROUPS: i32 = 67;
export const ADAM_COUNT: i32 = 68;
export const ADAM_RULE: i32 = 69;
/** A float64 for each chunk of Gaussians: a sum of its gradients, which is finite when they are. */
export const CHECKS: i32 = 70;

/** Gaussians that a thread takes at a time. */
export const CHUNK: i32 = 256;

/** Float64 numbers of the camera: the 12 of worldToCamera, then these. */
export const FX: i32 = 12;
export const FY: i32 = 13;
export const CX: i32 = 14;
export const CY: i32 = 15;
export const LEFT: i32 = 16;
export const RIGHT: i32 = 17;
export const TOP: i32 = 18;
export const BOTTOM: i32 = 19;
export const NEAR: i32 = 20;
export const EYE: i32 = 21;

@inline
export function number(base: usize, index: i32): f64 {
  return load<f64>(base + ((<usize>index) << 3));
}

@inline
export function put(base: usize, index: i32, value: f64): void {
  store<f64>(base + ((<usize>index) << 3), value);
}

/** A float32 of an array of the scene. */
@inline
export function single(array: usize, index: i32): f64 {
  return <f64>load<f32>(array + ((<usize>index) << 2));
}

@inline
export function putSingle(array: usize, index: i32, value: f64): void {
  store<f32>(array + ((<usize>index) << 2), <f32>value);
}

/**
 * Words of a record. With d = mean - pixel, log2(alpha) = A dx^2 + C (dy - M dx)^2 + L, which loses no digits where a Gaussian is long and
 * thin, as one in dx^2, dx dy and dy^2 would. FALL is 2^(2C): what the ratio of alphas of neighbours in a column falls by from row to row.
 */
export const MX: usize = 0;
export const MY: usize = 4;
export const A: usize = 8;
export const C: usize = 12;
export const M: usize = 16;
export const L: usize = 20;
export const FALL: usize = 24;
/**
 * Where alpha is enough to be drawn, an ellipse: half its width, one over that, half its height over the mean, the column of its lowest
 * point, and a margin for rounding.
 */
export const REACH: usize = 28;
export const INVERSE: usize = 32;
export const HALF: usize = 36;
export const LOWEST: usize = 40;
export const MARGIN: usize = 44;
export const VALUES: usize = 48;
