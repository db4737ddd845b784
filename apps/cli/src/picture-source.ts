import { readdir, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import type { Image } from '@langevin/io';
import { imageExtensions, readBytes, readImage } from '@langevin/io/node';
import { UserError } from '@langevin/tensor';
import { unzipSync } from 'fflate';

/** Bytes of a zip file, and of all that is unpacked of it. */
const MOST_ZIP = 2 ** 31 - 1;
/** Files that a folder or zip is looked through for. */
const MOST_FILES = 1_000_000;

/** What holds pictures on the disk: a folder, or a zip file. */
export async function isPictureSource(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && (found.isDirectory() || extname(path).toLowerCase() === '.zip');
}

export interface LoadPicturesOptions {
  /** At most so many, the first by name. */
  readonly count: number;
  readonly signal: AbortSignal;
  readonly progress: (done: number, of: number) => void;
}

/**
 * The pictures of a folder, with those below it, or of a zip file, in the order of their names.
 *
 * @throws UserError when there are none, a file is damaged, or there is too much to unpack
 */
export async function loadPictures(path: string, { count, signal, progress }: LoadPicturesOptions): Promise<readonly Image[]> {
  const files = extname(path).toLowerCase() === '.zip' ? await zipped(path, count) : await inFolder(path);
  const chosen = files.sort(([a], [b]) => (a < b ? -1 : 1)).slice(0, count);
  if (chosen.length === 0)
    throw new UserError(`[cli/pictures] there are no pictures: path=${path}. Give a folder or zip with ${imageExtensions.join(', ')}.`);
  const images: Image[] = [];
  for (const [, content] of chosen) {
    signal.throwIfAborted();
    const image = await readImage(content);
    images.push(isGrey(image) ? { ...image, channels: 1, data: image.data.filter((_, k) => k % 3 === 0) } : image);
    progress(images.length, chosen.length);
  }
  // Of one kind: a set is grey where all of it is.
  if (images.every(({ channels }) => channels === 1)) return images;
  return images.map((image) =>
    image.channels === 1
      ? {
          ...image,
          channels: 3 as const,
          data: Uint8Array.from({ length: 3 * image.data.length }, (_, k) => image.data[Math.floor(k / 3)]!),
        }
      : image,
  );
}

type Content = readonly [name: string, content: string | Uint8Array];

function isPicture(name: string): boolean {
  return imageExtensions.includes(extname(name).toLowerCase());
}

async function inFolder(path: string): Promise<Content[]> {
  const entries = await readdir(path, { recursive: true });
  if (entries.length > MOST_FILES) throw new UserError(`[cli/pictures] too many files: path=${path}, files=${entries.length}. Use fewer.`);
  return entries.filter(isPicture).map((name) => [name, join(path, name)] as const);
}

async function zipped(path: string, count: number): Promise<Content[]> {
  const bytes = await readBytes(path, { maxBytes: MOST_ZIP });
  const names = new Set<string>();
  const choose = (keep: (name: string) => boolean): Readonly<Record<string, Uint8Array>> => {
    let total = 0;
    return unzipSync(bytes, {
      filter: ({ name, originalSize }) => {
        if (!isPicture(name) || !keep(name)) return false;
        total += originalSize;
        if (total > MOST_ZIP)
          throw new UserError(`[cli/pictures] too much to unpack: path=${path}, limit=${MOST_ZIP} bytes. Use a folder.`);
        return true;
      },
    });
  };
  try {
    // Names first, so that only what is looked at is unpacked.
    unzipSync(bytes, {
      filter: ({ name }) => {
        if (isPicture(name)) names.add(name);
        if (names.size > MOST_FILES) throw new UserError(`[cli/pictures] too many files: path=${path}. Use fewer.`);
        return false;
      },
    });
    const wanted = new Set([...names].sort().slice(0, count));
    return Object.entries(choose((name) => wanted.has(name)));
  } catch (cause) {
    if (cause instanceof UserError) throw cause;
    throw new UserError(`[cli/pictures] zip cannot be unpacked: path=${path}, ${(cause as Error).message}. It is damaged; get it anew.`, {
      cause,
    });
  }
}

function isGrey({ data, channels }: Image): boolean {
  if (channels !== 3) return false;
  for (let k = 0; k < data.length; k += 3) if (data[k] !== data[k + 1] || data[k] !== data[k + 2]) return false;
  return true;
}
