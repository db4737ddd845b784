import { UserError } from '@langevin/tensor';
import type { Image } from '../images/image.ts';
import { ditherer } from './dither.ts';
import { checkFilm, checkFrame, checkFrames, type FilmOptions } from './film.ts';
import { lzwBlocks } from './lzw.ts';
import { filmPalette, type Palette } from './palette.ts';

export interface GifOptions extends FilmOptions {
  /** Colours of the whole film, 2..256: `filmPalette` of frames from all its parts. @default that of the first frame */
  readonly palette?: Palette;
}

/**
 * An animated GIF that runs for ever, in pieces: the header, then each frame as soon as it is there, so that a film of any length needs the
 * memory of one frame. All frames share one palette.
 *
 * @param frames RGB pictures of the film's size
 * @throws {UserError} when an option is out of range, a frame does not fit, or there is none
 * @example
 * const red = { width: 2, height: 1, channels: 3, data: Uint8Array.of(255, 0, 0, 255, 0, 0) } as const;
 * const pieces: number[] = [];
 * for await (const piece of encodeGif([red, red], { width: 2, height: 1, framesPerSecond: 10 })) pieces.push(...piece);
 * String.fromCharCode(...pieces.slice(0, 6)); // => 'GIF89a'
 */
export async function* encodeGif(frames: AsyncIterable<Image> | Iterable<Image>, options: GifOptions): AsyncGenerator<Uint8Array, void> {
  checkFilm(options);
  checkFrames(frames);
  if (options.palette !== undefined) checkPalette(options.palette);
  let toIndices: ((image: Image) => Uint8Array) | undefined;
  let bits = 2;
  let frame = 0;
  for await (const image of frames) {
    checkFrame(image, options);
    if (toIndices === undefined) {
      const palette = options.palette ?? filmPalette([image]);
      toIndices = ditherer(palette);
      bits = Math.max(2, Math.ceil(Math.log2(palette.length / 3)));
      yield header(options, palette, bits);
    }
    yield frameHeader(options, frame++);
    yield lzwBlocks(toIndices(image), bits);
  }
  if (frame === 0) throw new UserError('[io/films] film has no frame: frames=0. Give one at least.');
  yield Uint8Array.of(0x3b);
}

function checkPalette(palette: Palette): void {
  const colours = palette.length / 3;
  if (!Number.isInteger(colours) || colours < 2 || colours > 256)
    throw new UserError(`[io/films] palette has not 2 to 256 colours: bytes=${palette.length}. Give three bytes for each.`);
}

const low = (value: number): number => value & 255;
const high = (value: number): number => (value >> 8) & 255;

/** Signature, screen, the palette in a table of 2^bits colours, and the extension of Netscape that lets it run for ever. */
function header({ width, height }: FilmOptions, palette: Palette, bits: number): Uint8Array {
  const table = new Uint8Array(3 * 2 ** bits);
  table.set(palette);
  return Uint8Array.of(
    ...ascii('GIF89a'),
    low(width),
    high(width),
    low(height),
    high(height),
    0x80 | 0x70 | (bits - 1),
    0,
    0,
    ...table,
    0x21,
    0xff,
    11,
    ...ascii('NETSCAPE2.0'),
    3,
    1,
    0,
    0,
    0,
  );
}

/** How long a frame is shown, and where it lies: all of the screen. */
function frameHeader({ width, height, framesPerSecond }: FilmOptions, frame: number): Uint8Array {
  // Hundredths of a second: the remainders go from frame to frame, so that the film takes the time that it should.
  const end = (frames: number): number => Math.round((100 * frames) / framesPerSecond);
  const delay = end(frame + 1) - end(frame);
  // The frame stays until the next one is drawn over it.
  const disposal = 1 << 2;
  return Uint8Array.of(
    0x21,
    0xf9,
    4,
    disposal,
    low(delay),
    high(delay),
    0,
    0,
    0x2c,
    0,
    0,
    0,
    0,
    low(width),
    high(width),
    low(height),
    high(height),
    0,
  );
}

function ascii(text: string): number[] {
  return Array.from(text, (character) => character.charCodeAt(0));
}
