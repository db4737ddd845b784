import type { ShDegree } from './cloud.ts';
import { shCoefficients } from './cloud.ts';

/** "NGSP", little-endian. */
export const SPZ_MAGIC = 0x5053474e;
export const LEGACY_HEADER_BYTES = 16;
export const STREAMS_HEADER_BYTES = 32;
export const FLAG_ANTIALIASED = 1;
export const FLAG_EXTENSIONS = 2;

/** Colours are stored as 1/2 + 0.15 dc, so that what lies somewhat outside [0, 1] survives (spz, `colorScale`). */
export const COLOR_SCALE = 0.15;

/** 1 has coordinates in float16; 2 has three bytes of rotation; 4 has a ZSTD stream for each column. */
export type SpzVersion = 1 | 2 | 3 | 4;

/** The columns in the order of the file. */
export const SPZ_COLUMNS = ['positions', 'alphas', 'colors', 'scales', 'rotations', 'sh'] as const;
export type SpzColumn = (typeof SPZ_COLUMNS)[number];

export interface SpzLayout {
  readonly version: SpzVersion;
  readonly count: number;
  readonly degree: ShDegree;
  readonly fractionalBits: number;
  readonly flags: number;
}

/** Bytes of a column for one Gaussian. */
export function columnBytes(column: SpzColumn, { version, degree }: Pick<SpzLayout, 'version' | 'degree'>): number {
  switch (column) {
    case 'positions':
      return version === 1 ? 6 : 9;
    case 'alphas':
      return 1;
    case 'colors':
    case 'scales':
      return 3;
    case 'rotations':
      return version < 3 ? 3 : 4;
    case 'sh':
      return 3 * (shCoefficients(degree) - 1);
  }
}

/** Bytes of all columns for one Gaussian. */
export function spzRowBytes(layout: Pick<SpzLayout, 'version' | 'degree'>): number {
  return SPZ_COLUMNS.reduce((sum, column) => sum + columnBytes(column, layout), 0);
}
