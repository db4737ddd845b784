import { createHash } from 'node:crypto';
import { mkdir, readdir, rm, stat, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { checkNumber, readOptions, shownValue, UserError } from '@langevin/tensor';
import { checkFunctions, checkSource } from '../given.ts';
import type { Image } from '../images/image.ts';
import { checkImage } from '../images/image.ts';
import type { DataSource, PictureItem } from '../sources/data-source.ts';
import type { Source } from '../sources/source.ts';
import { cannotUseFolder, isDiskError } from './disk-error.ts';
import { makeFolder } from './make-folder.ts';
import { readBytes } from './read-json.ts';
import { writeFileUnflushed } from './write-file-atomic.ts';

export interface DiskCacheOptions<Item> {
  /** Where entries lie; several sources and processes may share a folder. */
  readonly folder: string;
  /** What decides an item besides the source's content, as JSON: how it was changed on the way, and by what: an autoencoder's hash, say. */
  readonly key: unknown;
  /** An item as bytes. */
  readonly encode: (item: Item, i: number) => Promise<Uint8Array> | Uint8Array;
  /** An item from its bytes; what it throws makes the item be loaded anew. */
  readonly decode: (bytes: Uint8Array, i: number) => Promise<Item> | Item;
  /** Bytes of all entries in the folder; what was not used for longest goes first. @default 8 GiB */
  readonly maxBytes?: number;
}

/** Changes with the form of entries. */
const FORM = 1;
const CHECKSUM_BYTES = 32;
/** The folder is looked through whenever a process has written such a share of its bound, and has room for as much afterwards. */
const SHARE = 1 / 16;
/** The date of an entry says when it was used, to a minute. */
const USED_EVERY = 60_000;
/** Temporary files of a process that was killed. */
const TEMPORARY_AGE = 3_600_000;

/**
 * The same items, kept on disk once they have been loaded: decoded and resized pictures, say, or latents. An entry belongs to the name of
 * an item, what its content depends on ({@link Source.contentOf}) and the key, so that changed files, other options and other sources never
 * meet an entry that is not theirs, while parts of a source share theirs. It is written whole or not at all, and has a checksum: what is
 * damaged is loaded anew. Entries of more than a sixteenth of the bound are not kept.
 *
 * @throws UserError when the source cannot tell what its content depends on, the key is no JSON, the bound is out of range, or nothing can
 * be written to the folder; from `load`, when the disk fails
 * @example
 * // not run: writes to a folder
 * import { mapSource } from '@langevin/io';
 * import { cachedOnDisk, openData } from '@langevin/io/node';
 * const { source } = await openData({ name: 'picture-folder', folder: 'pictures' });
 * const means = mapSource(source, (item) => (item.kind === 'picture' ? item.image.data[0]! : 0));
 * const cached = await cachedOnDisk(means, {
 *   folder: '.cache/first-bytes', key: 'first byte', encode: (value) => Uint8Array.of(value), decode: (bytes) => bytes[0]!,
 * });
 * await cached.load(0);
 */
export async function cachedOnDisk<Item, From extends Source<Item> = Source<Item>>(
  source: From & Source<Item>,
  options: DiskCacheOptions<Item>,
): Promise<From> {
  checkSource(source, '[io/cache]');
  const { folder, key, encode, decode, maxBytes = 8 * 2 ** 30 } = readOptions('io/cache', options);
  checkNumber('io/cache', { maxBytes }, { atLeast: 0, kind: 'integer' });
  checkFunctions({ encode, decode }, '[io/cache]');
  const { name, contentOf, itemName } = source;
  if (contentOf === undefined)
    throw new UserError(
      `[io/cache] source cannot tell what its items depend on: source=${name}. Give contentOf where it is defined, from defineSource().`,
    );
  const keyText = textOf(key);
  await makeFolder(folder);
  const largest = Math.floor(maxBytes * SHARE);
  const room = keepRoom(folder, maxBytes);
  const load = async (i: number): Promise<Item> => {
    const words = JSON.stringify([FORM, keyText, itemName(i), await contentOf(i)]);
    const hash = createHash('sha256').update(words).digest('hex');
    const path = join(folder, hash.slice(0, 2), hash.slice(2));
    const known = await entryOf(path, largest + CHECKSUM_BYTES);
    if (known !== undefined) {
      try {
        return await decode(known, i);
      } catch {
        // Of another program's making, with a checksum that is right: as good as damaged.
      }
    }
    const item = await source.load(i);
    const bytes = await encode(item, i);
    if (!(bytes instanceof Uint8Array))
      throw new UserError(
        `[io/cache] an item is encoded as bytes: source=${name}, item=${i}, encoded=${shownValue(bytes)}. Give a Uint8Array.`,
      );
    if (bytes.byteLength + CHECKSUM_BYTES > largest) return item;
    try {
      await room(bytes.byteLength + CHECKSUM_BYTES);
      await mkdir(dirname(path), { recursive: true });
      await writeFileUnflushed(path, [checksum(bytes), bytes]);
    } catch (error) {
      throw isDiskError(error) ? cannotUseFolder(folder, error) : error;
    }
    return item;
  };
  return Object.freeze({ ...source, load });
}

/**
 * {@link cachedOnDisk} for pictures: pixels lie there as they are, decoded and resized; captions and facts come from the source.
 *
 * @throws UserError as that
 */
export async function cachedPictures(
  source: DataSource<PictureItem>,
  options: Pick<DiskCacheOptions<PictureItem>, 'folder' | 'maxBytes'>,
): Promise<DataSource<PictureItem>> {
  const { folder, maxBytes } = readOptions('io/cache', options);
  return cachedOnDisk<PictureItem, DataSource<PictureItem>>(source, {
    folder,
    key: 'pixels',
    encode: ({ image: { width, height, channels, data } }) => Buffer.concat([Uint32Array.of(width, height, channels), data].map(bytesOf)),
    decode: (bytes, i) => {
      const [width, height, channels] = new Uint32Array(bytes.slice(0, 12).buffer) as unknown as [number, number, Image['channels']];
      const image = { width, height, channels, data: bytes.subarray(12) };
      checkImage(image, '[io/cache] an entry');
      return Object.freeze({ ...source.about(i), kind: 'picture', image });
    },
    ...(maxBytes !== undefined && { maxBytes }),
  });
}

function bytesOf({ buffer, byteOffset, byteLength }: Uint32Array | Uint8Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function textOf(key: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(key);
  } catch {
    // Told below, with what is no JSON at all.
  }
  if (text !== undefined) return text;
  throw new UserError(`[io/cache] key is no JSON: key=${shownValue(key)}. Give text, numbers, lists and objects of them.`);
}

function checksum(bytes: Uint8Array): Uint8Array {
  return createHash('sha256').update(bytes).digest();
}

/** The bytes of an entry that is there and whole. */
async function entryOf(path: string, maxBytes: number): Promise<Uint8Array | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined || !found.isFile() || found.size < CHECKSUM_BYTES || found.size > maxBytes) return undefined;
  // Another process may take it away meanwhile.
  const bytes = await readBytes(path, { maxBytes }).catch(() => undefined);
  if (bytes === undefined || bytes.byteLength < CHECKSUM_BYTES) return undefined;
  const content = bytes.subarray(CHECKSUM_BYTES);
  if (Buffer.compare(checksum(content), bytes.subarray(0, CHECKSUM_BYTES)) !== 0) return undefined;
  const now = Date.now();
  if (now - found.mtimeMs > USED_EVERY) await utimes(path, now / 1000, now / 1000).catch(() => undefined);
  return content;
}

/** Makes room before bytes are written. */
function keepRoom(folder: string, maxBytes: number): (bytes: number) => Promise<void> {
  let written = Infinity;
  let sweeping: Promise<void> = Promise.resolve();
  return async (bytes) => {
    written += bytes;
    if (written > maxBytes * SHARE) {
      written = bytes;
      sweeping = sweeping.catch(() => undefined).then(() => sweep(folder, maxBytes * (1 - SHARE)));
    }
    await sweeping;
  };
}

async function sweep(folder: string, maxBytes: number): Promise<void> {
  const entries: { readonly path: string; readonly bytes: number; readonly used: number }[] = [];
  for (const part of await listed(folder)) {
    if (!/^[0-9a-f]{2}$/u.test(part)) continue;
    for (const name of await listed(join(folder, part))) {
      const path = join(folder, part, name);
      const isEntry = /^[0-9a-f]{62}$/u.test(name);
      if (!isEntry && !/^\.langevin-.*\.tmp$/u.test(name)) continue;
      const found = await stat(path).catch(() => undefined);
      if (found === undefined) continue;
      if (isEntry) entries.push({ path, bytes: found.size, used: found.mtimeMs });
      else if (Date.now() - found.mtimeMs > TEMPORARY_AGE) await rm(path, { force: true });
    }
  }
  let total = entries.reduce((sum, { bytes }) => sum + bytes, 0);
  for (const { path, bytes } of entries.sort((a, b) => a.used - b.used)) {
    if (total <= maxBytes) return;
    await rm(path, { force: true });
    total -= bytes;
  }
}

async function listed(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch((error: unknown) => {
    // What another process has taken away, or no folder.
    if (isDiskError(error) && ['ENOENT', 'ENOTDIR'].includes(error.code)) return [];
    throw error;
  });
}
