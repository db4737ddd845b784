import type { ByteSource } from '../safetensors/byte-source.ts';
import type { SplatFormat } from './format.ts';

/** How a file is read. */
export interface ReadSplatsOptions {
  /** Name of a format, see `splatFormats`. @default chosen by the content */
  readonly format?: string;
  /** The formats to choose from; add your own here. @default the ones of this package */
  readonly formats?: readonly SplatFormat[];
  /**
   * What to do with Gaussians that have a number that is not finite or a quaternion of length 0: `'refuse'` the file, because something
   * wrote wrong numbers, or `'drop'` them and count them in `metadata.dropped`. @default 'refuse'
   */
  readonly invalid?: 'refuse' | 'drop';
}

/** How a file is written; each format takes what concerns it. */
export interface SplatEncodeOptions {
  /** PLY: `nx ny nz` of zeros, which the first tools of the field expect, or none. @default 'zero' */
  readonly normals?: 'zero' | 'none';
  /** PLY, 4D: lines of text. @default those of `metadata` */
  readonly comments?: readonly string[];
  /** SPZ: bits behind the point of a coordinate, 0 to 23. @default 12, or fewer where the cloud would not fit */
  readonly fractionalBits?: number;
  /** SPZ: bits of the spherical harmonics of degree 1 and above it, 1 to 8. @default { first: 5, rest: 4 }, as the format's own library */
  readonly shBits?: { readonly first: number; readonly rest: number };
}

/** What a reader gets: a source that can be read by range, and the options that concern every format. */
export interface ReadRequest {
  readonly source: ByteSource;
  readonly invalid: 'refuse' | 'drop';
}
