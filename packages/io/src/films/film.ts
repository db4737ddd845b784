import { readOptions, shownValue, UserError } from '@langevin/tensor';
import { checkImage, type Image } from '../images/image.ts';

/** What a film is made of. */
export interface FilmOptions {
  /** Sides of every frame in pixels. */
  readonly width: number;
  readonly height: number;
  /** Frames shown in a second, 1..50: browsers slow GIFs down that are faster. */
  readonly framesPerSecond: number;
}

/** Largest side: what the rasterizers draw; GIF itself ends at 65535. */
const MAX_SIDE = 16_384;
const MAX_RATE = 50;

/** @throws {UserError} when an option is out of range */
export function checkFilm(options: FilmOptions): void {
  const { width, height, framesPerSecond } = readOptions('io/films', options);
  for (const [name, side] of Object.entries({ width, height })) {
    if (!Number.isSafeInteger(side) || side < 1 || side > MAX_SIDE)
      throw new UserError(`[io/films] size is out of range: ${name}=${shownValue(side)}. Give an integer from 1 to ${MAX_SIDE}.`);
  }
  if (!(framesPerSecond >= 1 && framesPerSecond <= MAX_RATE))
    throw new UserError(
      `[io/films] rate is out of range: framesPerSecond=${shownValue(framesPerSecond)}. Give a number from 1 to ${MAX_RATE}.`,
    );
}

/** @throws {UserError} when a frame is not RGB of the film's size */
export function checkFrame(frame: Image, { width, height }: FilmOptions): void {
  checkImage(frame, '[io/films] film');
  if (frame.width !== width || frame.height !== height || frame.channels !== 3)
    throw new UserError(
      `[io/films] frame does not fit the film: frame ${frame.width}x${frame.height} of ${frame.channels} channels, film `
        + `${width}x${height} of 3. Resize it, and flatten its alpha.`,
    );
}

/** @throws {UserError} when frames cannot be gone through */
export function checkFrames(frames: unknown): void {
  if (typeof frames === 'object' && frames !== null && (Symbol.asyncIterator in frames || Symbol.iterator in frames)) return;
  throw new UserError(`[io/films] frames cannot be gone through: frames=${shownValue(frames)}. Pass a list of images, or a generator.`);
}
