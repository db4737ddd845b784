import { createRequire } from 'node:module';
import { extname } from 'node:path';
import { UserError } from '@langevin/tensor';
import { checkPath } from '../given.ts';
import { checkFilm, checkFrame, checkFrames, type FilmOptions } from '../films/film.ts';
import { encodeGif, type GifOptions } from '../films/gif.ts';
import type { Image } from '../images/image.ts';
import { importOptional } from './optional-package.ts';
import { writeFileAtomic } from './write-file-atomic.ts';

/** H.264's scale of coarseness: 18 cannot be told from the picture, 33 is the encoder's own default and blurs. */
const QUANTIZATION = 20;

/** Level 5.2 of H.264 ends here, and with it what players show; somewhat above, the encoder's search for motion fails. */
const MOST_PIXELS = 4096 * 2304;

type Frames = AsyncIterable<Image> | Iterable<Image>;
type Encode = (frames: Frames, options: GifOptions) => AsyncIterable<Uint8Array>;

/**
 * A film as MP4 with H.264, which every browser plays. Sides are made even, as the format wants them, by repeating the last row and column.
 *
 * @param frames RGB pictures of the film's size
 * @throws {UserError} when an option is out of range, a frame does not fit, or there is none
 * @throws {UnsupportedError} when h264-mp4-encoder is not installed
 */
export async function* encodeMp4(frames: Frames, options: FilmOptions): AsyncGenerator<Uint8Array, void> {
  checkFilm(options);
  checkFrames(frames);
  const { width, height, framesPerSecond } = options;
  if (width * height > MOST_PIXELS)
    throw new UserError(
      `[io/films] film is too large for H.264: width=${width}, height=${height}, at most ${MOST_PIXELS} pixels (4096x2304). `
        + 'Make it smaller, or write a GIF.',
    );
  const { createH264MP4Encoder } = await importOptional(
    'h264-mp4-encoder',
    'films',
    // CommonJS with a build for each platform: an import takes the one for pages.
    async () => createRequire(import.meta.url)('h264-mp4-encoder') as typeof import('h264-mp4-encoder'),
  );
  const encoder = await createH264MP4Encoder();
  let open = false;
  try {
    const [evenWidth, evenHeight] = [width + (width % 2), height + (height % 2)];
    Object.assign(encoder, { width: evenWidth, height: evenHeight, frameRate: framesPerSecond, quantizationParameter: QUANTIZATION });
    encoder.initialize();
    open = true;
    const rgba = new Uint8Array(4 * evenWidth * evenHeight).fill(255);
    let count = 0;
    for await (const frame of frames) {
      checkFrame(frame, options);
      toRgba(frame, { rgba, evenWidth, evenHeight });
      encoder.addFrameRgba(rgba);
      count++;
    }
    if (count === 0) throw new UserError('[io/films] film has no frame: frames=0. Give one at least.');
    open = false;
    encoder.finalize();
    yield encoder.FS.readFile(encoder.outputFilename);
  } finally {
    // One that is deleted before it is finalised ends the process.
    if (open) encoder.finalize();
    encoder.delete();
  }
}

function toRgba(
  { width, height, data }: Image,
  { rgba, evenWidth, evenHeight }: { readonly rgba: Uint8Array; readonly evenWidth: number; readonly evenHeight: number },
): void {
  for (let y = 0, to = 0; y < evenHeight; y++) {
    const row = Math.min(y, height - 1) * width;
    for (let x = 0; x < evenWidth; x++, to += 4) {
      const from = 3 * (row + Math.min(x, width - 1));
      rgba[to] = data[from]!;
      rgba[to + 1] = data[from + 1]!;
      rgba[to + 2] = data[from + 2]!;
    }
  }
}

const ENCODERS: Readonly<Record<string, Encode>> = { '.gif': encodeGif, '.mp4': encodeMp4 };

/** File endings that {@link writeFilm} can write. */
export const filmExtensions: readonly string[] = Object.keys(ENCODERS);

/**
 * Write a film while its frames are made, in the format of the name's ending, whole or not at all: when a frame cannot be made, the error
 * passes through and no file is left behind.
 *
 * @throws {UserError} when the ending is neither .gif nor .mp4, an option is out of range, a frame does not fit, or the disk fails
 * @example
 * import { writeFilm } from '@langevin/io/node';
 * const frame = (grey: number) => ({ width: 8, height: 8, channels: 3, data: new Uint8Array(192).fill(grey) }) as const;
 * await writeFilm('fade.gif', [frame(0), frame(128), frame(255)], { width: 8, height: 8, framesPerSecond: 10 });
 */
export async function writeFilm(path: string, frames: Frames, options: GifOptions): Promise<void> {
  checkPath(path, '[io/films]');
  const encode = ENCODERS[extname(path).toLowerCase()];
  if (encode === undefined)
    throw new UserError(`[io/films] cannot tell the format of ${JSON.stringify(path)}. End its name in ${filmExtensions.join(' or ')}.`);
  await writeFileAtomic(path, encode(frames, options));
}
