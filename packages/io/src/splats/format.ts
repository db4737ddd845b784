import type { ShDegree, SplatCloud } from './cloud.ts';
import type { ReadRequest, SplatEncodeOptions } from './options.ts';

/** A file format as a value: how it is recognised, read and written, and what it keeps. */
export interface SplatFormat {
  /** As `format` names it. */
  readonly name: string;
  /** Ends of file names, with the dot; the longest that fits a name wins. */
  readonly extensions: readonly string[];
  readonly keeps: string;
  readonly loses: string;
  /** Bytes in the file, before compression where the format compresses. */
  bytesPerGaussian(degree: ShDegree): number;
  /** Judge by the content: the first {@link HEAD_BYTES} bytes, or all of a shorter file, and the size of the whole. */
  matches(head: Uint8Array, byteLength: number): boolean;
  /** Whether `metadata.origin` is kept. @default 'refused', since places would be elsewhere without it */
  readonly origin?: 'kept' | 'refused';
  /** @throws {UserError} when the file is not well-formed */
  read(request: ReadRequest): Promise<SplatCloud>;
  /** Missing where the format is only read. The cloud has been checked. */
  readonly encode?: (cloud: SplatCloud, options: SplatEncodeOptions) => AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/** How much of a file `matches` sees. */
export const HEAD_BYTES = 4096;
