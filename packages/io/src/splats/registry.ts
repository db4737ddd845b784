import { UnsupportedError, UserError } from '@langevin/tensor';
import type { ByteSource } from '../safetensors/byte-source.ts';
import { blobSource, bytesSource, checkByteSource } from '../safetensors/byte-source.ts';
import { checkObject, checkPath } from '../given.ts';
import { readExactly } from './byte-stream.ts';
import type { SplatCloud } from './cloud.ts';
import { checkCloud } from './cloud.ts';
import type { SplatAsset4d } from './asset-4d.ts';
import { readAsset, readScene } from './formats/container-4d.ts';
import type { SplatFormat } from './format.ts';
import { HEAD_BYTES } from './format.ts';
import type { ReadSplatsOptions, SplatEncodeOptions } from './options.ts';
import type { SplatScene4d } from './placement-4d.ts';
import type { PlyPoints } from './ply-points.ts';
import { readPointsOf } from './ply-points.ts';
import { knownFormats } from './formats/index.ts';

const CERTAINTY = ['own mark', 'shared mark', 'looks right'] as const;

/** Formats in the order in which content is tried: those with a mark of their own first. */
function inOrder(formats: readonly SplatFormat[]): readonly SplatFormat[] {
  return CERTAINTY.flatMap((certainty) => formats.filter(({ known = 'own mark' }) => known === certainty));
}

/** The formats of this package, in the order in which content is tried. */
export const splatFormats: readonly SplatFormat[] = Object.freeze(inOrder(knownFormats));

/** Bytes of a file, a `Blob` or `File`, or anything that can be read by range. */
export type SplatInput = Uint8Array | Blob | ByteSource;

/**
 * Read Gaussians of any known format, which is recognised by the content, not by a name. A file is read in pieces and decoded straight into
 * the arrays. Nothing is allocated for a count that the size of the file does not bear out.
 *
 * @throws {UserError} when the file is damaged, truncated, of no known format, or holds numbers that are none
 * @throws {UnsupportedError} when it is sound, but of a kind that is not read
 * @example
 * import { readSplats, writeSplats } from '@langevin/io/splats';
 * import { syntheticCloud } from '@langevin/io/testing';
 * const bytes = await writeSplats(syntheticCloud({ count: 100, degree: 1, seed: 1 }), { format: 'spz' });
 * const cloud = await readSplats(bytes);
 * [cloud.count, cloud.degree, cloud.metadata?.format]; // => [100, 1, 'spz']
 */
export async function readSplats(input: SplatInput, options: ReadSplatsOptions = {}): Promise<SplatCloud> {
  const source = sourceOf(input);
  const { format: name, formats = splatFormats } = options;
  const format = name === undefined ? await detectSplatFormat(source, { formats }) : formatNamed(name, formats);
  return format.read({ source, invalid: options.invalid ?? 'refuse' });
}

/** Read a moving asset from the 4D container; see `encodeSplats4d`. */
export async function readSplats4d(input: SplatInput, options: Omit<ReadSplatsOptions, 'format'> = {}): Promise<SplatAsset4d> {
  return readAsset({ source: sourceOf(input), invalid: options.invalid ?? 'refuse' });
}

/**
 * Read several assets with their places and times from the 4D container; see `encodeSplatScene4d`. A file of one asset is a scene of it
 * alone.
 */
export async function readSplatScene4d(input: SplatInput, options: Omit<ReadSplatsOptions, 'format'> = {}): Promise<SplatScene4d> {
  return readScene({ source: sourceOf(input), invalid: options.invalid ?? 'refuse' });
}

/**
 * Read coloured points from a PLY file: what Gaussians are begun from, as nerfstudio's `ply_file_path` names it. Nothing is allocated for a
 * count that the size of the file does not bear out.
 *
 * @throws {UserError} when the file is no such file, is truncated, or has a position that is not finite
 */
export async function readPlyPoints(input: SplatInput): Promise<PlyPoints> {
  return readPointsOf(sourceOf(input));
}

export interface WriteSplatsOptions extends SplatEncodeOptions {
  /** Name of a format that can be written: `ply`, `splat`, `spz` or `4d`. */
  readonly format: string;
  /** The formats to choose from; add your own here. @default the ones of this package */
  readonly formats?: readonly SplatFormat[];
}

/**
 * Write Gaussians as the bytes of a file.
 *
 * @throws {UserError} when the cloud has numbers that no file should hold, or that this format cannot
 * @throws {UnsupportedError} when the format is only read
 */
export async function writeSplats(cloud: SplatCloud, options: WriteSplatsOptions): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = [];
  for await (const piece of encodeSplats(cloud, options)) pieces.push(piece);
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.byteLength, 0));
  let offset = 0;
  for (const piece of pieces) {
    bytes.set(piece, offset);
    offset += piece.byteLength;
  }
  return bytes;
}

/** {@link writeSplats} in pieces, for a file or a stream. The cloud is checked before this returns. */
export function encodeSplats(cloud: SplatCloud, options: WriteSplatsOptions): AsyncIterable<Uint8Array> | Iterable<Uint8Array> {
  checkObject(options, 'options', '[io/splats]');
  const { formats = splatFormats } = options;
  const format = formatNamed(options.format, formats);
  const writable = formats.filter(({ encode }) => encode !== undefined).map(({ name }) => name);
  if (format.encode === undefined)
    throw new UnsupportedError(`[io/splats] format=${format.name} is only read. Write one of: ${writable.join(', ')}.`);
  checkCloud(cloud);
  const { origin } = cloud.metadata ?? {};
  if (origin?.some((value) => value !== 0) && format.origin !== 'kept')
    throw new UserError(
      `[io/splats] ${format.name} holds no coordinates so far from 0: metadata.origin=(${origin.join(', ')}). Write `
        + `${formats
          .filter((other) => other.origin === 'kept')
          .map(({ name }) => name)
          .join(' or ')}; or leave the origin out, and `
        + 'places are relative to it.',
    );
  return format.encode(cloud, options);
}

/** The format of a file by its content. @throws {UserError} when none fits */
export async function detectSplatFormat(
  input: SplatInput,
  { formats = splatFormats }: Pick<ReadSplatsOptions, 'formats'> = {},
): Promise<SplatFormat> {
  const source = sourceOf(input);
  const head = await readExactly(source, 0, Math.min(HEAD_BYTES, source.byteLength));
  const format = inOrder(formats).find(({ matches }) => matches(head, source.byteLength));
  if (format !== undefined) return format;
  // What has no mark is known by looking right: where it does not, the reader of that format can say what is wrong.
  const named = formats.find(
    ({ known, extensions }) =>
      known === 'looks right' && extensions.some((end) => source.label.toLowerCase().replace(/"$/u, '').endsWith(end)),
  );
  if (named !== undefined && source.byteLength > 0) return named;
  const names = formats.map(({ name }) => name).join(', ');
  throw new UserError(
    `[io/splats] ${source.label} is of no known format: size=${source.byteLength} bytes, first=${hex(head.subarray(0, 8))}. Known `
      + `are ${names}.`,
  );
}

/**
 * The format that a file name asks for, by its end.
 *
 * @param options.use what the file is for: 'write' refuses formats that are only read, and does not offer them. @default 'read'
 * @throws {UserError} when none fits
 * @throws {UnsupportedError} when the file is to be written, and its format is only read
 */
export function splatFormatForName(
  fileName: string,
  { use = 'read', formats = splatFormats }: { readonly use?: 'read' | 'write'; readonly formats?: readonly SplatFormat[] } = {},
): SplatFormat {
  checkPath(fileName, '[io/splats]');
  const name = fileName.toLowerCase();
  const fits = formats.flatMap((format) => format.extensions.filter((end) => name.endsWith(end)).map((end) => ({ format, end })));
  fits.sort((a, b) => b.end.length - a.end.length);
  const found = fits[0]?.format;
  const offered = formats.filter(({ encode }) => use === 'read' || encode !== undefined);
  const ends = offered.flatMap(({ extensions }) => extensions).join(', ');
  if (found !== undefined && !offered.includes(found))
    throw new UnsupportedError(
      `[io/splats] format is only read: name=${JSON.stringify(fileName)}, format=${found.name}. Use one of: ${ends}.`,
    );
  if (found !== undefined) return found;
  throw new UserError(`[io/splats] the name ${JSON.stringify(fileName)} has the end of no known format. Use one of: ${ends}.`);
}

function formatNamed(name: string, formats: readonly SplatFormat[]): SplatFormat {
  const format = formats.find((other) => other.name === name);
  if (format !== undefined) return format;
  throw new UserError(`[io/splats] unknown format=${JSON.stringify(name)}. Known: ${formats.map((other) => other.name).join(', ')}.`);
}

function sourceOf(input: SplatInput): ByteSource {
  if (input instanceof Uint8Array) return bytesSource(input);
  if (input instanceof Blob) return blobSource(input);
  checkByteSource(input, '[io/splats]');
  return input;
}

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
}
