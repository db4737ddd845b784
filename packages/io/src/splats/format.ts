import { shownValue, UserError } from '@langevin/tensor';
import { checkObject } from '../given.ts';
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
  /**
   * How much it means when `matches` holds. A mark that other files begin with too, or contents that merely look right, count only where no
   * format knows its own mark. @default 'own mark'
   */
  readonly known?: 'own mark' | 'shared mark' | 'looks right';
  /** Judge by the content: the first {@link HEAD_BYTES} bytes, or all of a shorter file, and the size of the whole. */
  matches(head: Uint8Array, byteLength: number): boolean;
  /** Whether `metadata.origin` is kept. @default 'refused', since places would be elsewhere without it */
  readonly origin?: 'kept' | 'refused';
  /** Whether it is the container of what moves: `readSplatScene4d` and `encodeSplats4d` read and write that. @default 'none' */
  readonly motion?: 'kept' | 'none';
  /** @throws {UserError} when the file is not well-formed */
  read(request: ReadRequest): Promise<SplatCloud>;
  /** Missing where the format is only read. The cloud has been checked. */
  readonly encode?: (cloud: SplatCloud, options: SplatEncodeOptions) => AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/**
 * Describes a format as a frozen value; one file of the folder `formats` that calls this is all that a new one needs.
 *
 * @throws UserError when the name is not kebab-case, or an extension has no dot
 */
export function defineSplatFormat(format: SplatFormat): SplatFormat {
  checkObject(format, 'format', '[io/splats]');
  const { name, extensions } = format;
  if (typeof name !== 'string' || !/^[a-z0-9]+(-[a-z0-9]+)*$/u.test(name))
    throw new UserError(
      `[io/splats] format has a name that is not kebab-case: name=${shownValue(name)}. Use lower case, digits and hyphens.`,
    );
  if (!Array.isArray(extensions) || extensions.length === 0 || !extensions.every((end) => /^\.[^/\\]+$/u.test(String(end))))
    throw new UserError(
      `[io/splats] format has no ends of file names: name=${name}, extensions=${shownValue(extensions)}. Give such as ['.ply'].`,
    );
  return Object.freeze({ ...format, extensions: Object.freeze([...extensions]) });
}

/** How much of a file `matches` sees. */
export const HEAD_BYTES = 4096;
