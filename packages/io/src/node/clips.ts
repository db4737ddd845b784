import { UnsupportedError, UserError } from '@langevin/tensor';
import { checkBytes } from '../given.ts';
import { bytesOfArray } from '../host-tensor.ts';
import { checkRgb, flattenAlpha, WHITE, type Image, type Rgb } from '../images/image.ts';
import { fileSource } from './file-source.ts';
import { importOptional } from './optional-package.ts';
import { readBytes } from './read-json.ts';

/** A moving picture as its file has it. */
export interface Clip {
  /** RGB, all of one size. */
  readonly frames: readonly Image[];
  /** Milliseconds that each is shown. */
  readonly delays: readonly number[];
}

export interface ReadClipOptions {
  /** What shows through where a frame is transparent. @default white */
  readonly background?: Rgb;
  /** The largest sum of pixels of all frames accepted, checked before decoding. @default 2^27, as 512 frames of 512 x 512 */
  readonly maxPixels?: number;
}

const MAX_FILE_BYTES = 512 * 1024 * 1024;
/** Browsers show a frame without a delay, or with one below 20 ms, for this long. */
const DEFAULT_DELAY = 100;
const LEAST_DELAY = 20;

/** File endings that {@link readClip} understands. */
export const clipExtensions: readonly string[] = ['.gif', '.webp'];

/**
 * Read all frames of an animated WebP or a GIF, each whole, converted to sRGB; a picture that does not move is a clip of one frame.
 *
 * @param input a path, or the bytes of a file
 * @throws UserError when it cannot be read, is damaged, or has more than `maxPixels`
 * @throws UnsupportedError when it is of another format, or sharp is not installed
 * @example
 * import { encodeGif } from '@langevin/io';
 * import { readClip } from '@langevin/io/node';
 * const frame = (grey: number) => ({ width: 8, height: 8, channels: 3, data: new Uint8Array(192).fill(grey) }) as const;
 * const pieces: Uint8Array[] = [];
 * for await (const piece of encodeGif([frame(0), frame(255)], { width: 8, height: 8, framesPerSecond: 10 })) pieces.push(piece);
 * const { frames, delays } = await readClip(Buffer.concat(pieces));
 * [frames.length, delays]; // => [2, [100, 100]]
 */
export async function readClip(input: string | Uint8Array, options: ReadClipOptions = {}): Promise<Clip> {
  const { background = WHITE, maxPixels = 2 ** 27 } = options;
  checkRgb(background, '[io/clips] readClip');
  if (typeof input !== 'string') checkBytes(input, '[io/clips]');
  const label = typeof input === 'string' ? JSON.stringify(input) : `the given ${input.byteLength} bytes`;
  const bytes = typeof input === 'string' ? await readBytes(input, { maxBytes: MAX_FILE_BYTES }) : input;
  const start = String.fromCharCode(...bytes.subarray(0, 12));
  if (!/^GIF8[79]a/u.test(start) && !/^RIFF[^]{4}WEBP/u.test(start))
    throw new UnsupportedError(
      `[io/clips] ${label} is no animated WebP or GIF. Convert it, with ffmpeg say: ffmpeg -i clip.mp4 -loop 0 clip.webp`,
    );
  const { default: sharp } = await importOptional('sharp', 'clips', () => import('sharp'));
  try {
    const image = sharp(bytes, { pages: -1, limitInputPixels: false, failOn: 'warning' });
    const { width, height: stacked, pages = 1, pageHeight: height = stacked, delay = [] } = await image.metadata();
    if (width * height * pages > maxPixels)
      throw new UserError(
        `[io/clips] ${label} is too large: ${pages} frames of ${width}x${height}, maxPixels=${maxPixels}. Shorten it, or raise maxPixels.`,
      );
    const { data, info } = await image.toColourspace('srgb').ensureAlpha().raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
    const channels = info.channels as Image['channels'];
    const size = width * height * channels;
    const all = bytesOfArray(data);
    return {
      frames: Array.from({ length: pages }, (_, k) =>
        asRgb({ width, height, channels, data: all.subarray(k * size, (k + 1) * size) }, background),
      ),
      delays: Array.from({ length: pages }, (_, k) => ((delay[k] ?? 0) < LEAST_DELAY ? DEFAULT_DELAY : delay[k]!)),
    };
  } catch (cause) {
    if (cause instanceof UserError) throw cause;
    throw new UserError(`[io/clips] ${label} cannot be decoded: ${(cause as Error).message.trim()}. It is damaged; replace it.`, { cause });
  }
}

function asRgb(image: Image, background: Rgb): Image {
  const flat = flattenAlpha(image, background);
  if (flat.channels === 3) return flat;
  const data = new Uint8Array(3 * flat.width * flat.height);
  for (let p = 0; p < data.length; p += 1) data[p] = flat.data[Math.floor(p / 3)]!;
  return { ...flat, channels: 3, data };
}

/**
 * Frames that stand evenly in a clip's time: the middle of each of `count` equal spans. A clip of fewer frames shows some of them twice.
 *
 * @returns the frames and how many of them there are in a second
 */
export function sampleClip(
  { frames, delays }: Clip,
  count: number | undefined,
): { readonly frames: readonly Image[]; readonly framesPerSecond: number } {
  const total = delays.reduce((sum, delay) => sum + delay, 0);
  const framesPerSecond = (1000 * (count ?? frames.length)) / total;
  if (count === undefined) return { frames, framesPerSecond };
  const chosen: Image[] = [];
  let end = delays[0]!;
  let at = 0;
  for (let k = 0; k < count; k += 1) {
    const time = ((k + 0.5) * total) / count;
    while (time >= end && at + 1 < frames.length) {
      at += 1;
      end += delays[at]!;
    }
    chosen.push(frames[at]!);
  }
  return { frames: chosen, framesPerSecond };
}

/** Whether a WebP has two frames or more: told by the headers of its chunks, without decoding. */
export async function isMovingWebp(path: string): Promise<boolean> {
  const file = await fileSource(path);
  try {
    let frames = 0;
    for (let at = 12; at + 8 <= file.byteLength && frames < 2;) {
      const header = await file.read(at, 8);
      if (header.byteLength < 8) break;
      const length = new DataView(header.buffer, header.byteOffset).getUint32(4, true);
      if (String.fromCharCode(...header.subarray(0, 4)) === 'ANMF') frames += 1;
      at += 8 + length + (length % 2);
    }
    return frames >= 2;
  } finally {
    await file.close();
  }
}
