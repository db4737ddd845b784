import { extname } from 'node:path';
import { checkChoice, readOptions, UnsupportedError, UserError } from '@langevin/tensor';
import type { Sharp } from 'sharp';
import { checkBytes, checkPath } from '../given.ts';
import { bytesOfArray } from '../host-tensor.ts';
import type { Image, Rgb } from '../images/image.ts';
import { checkImage, checkRgb, flattenAlpha, WHITE } from '../images/image.ts';
import { resizeArea } from '../images/resize-area.ts';
import { importOptional } from './optional-package.ts';
import { readBytes } from './read-json.ts';
import { writeFileAtomic } from './write-file-atomic.ts';

export interface ReadImageOptions {
  /** 'rgb' and 'grey' put alpha on the background, 'rgba' keeps it. @default 'rgb' */
  readonly channels?: 'rgb' | 'rgba' | 'grey';
  /** What shows through where the image is transparent. @default white */
  readonly background?: Rgb;
  /**
   * 'upright' turns the image by its EXIF tag, 'stored' leaves pixels where the file has them, as camera poses mean them.
   * @default 'upright'
   */
  readonly orientation?: 'upright' | 'stored';
  /** The largest image accepted, checked before decoding. @default 2^26, as 8192 x 8192: 0.8 GiB as float32 RGB */
  readonly maxPixels?: number;
}

// No photograph that passes maxPixels is as large as this.
const MAX_FILE_BYTES = 512 * 1024 * 1024;

/**
 * Read a PNG, JPEG or WebP image, turned upright by its EXIF tag unless asked otherwise, and converted to sRGB. Of an animation, the first
 * frame.
 *
 * @param input a path, or the bytes of a file
 * @throws {UserError} when it cannot be read, is truncated, or has more than `maxPixels`
 * @throws {UnsupportedError} when it is of another format, or sharp is not installed
 */
export async function readImage(input: string | Uint8Array, options: ReadImageOptions = {}): Promise<Image> {
  const { channels = 'rgb', background = WHITE, orientation = 'upright', maxPixels = 2 ** 26 } = options;
  checkRgb(background, '[io/images] readImage');
  if (typeof input !== 'string') checkBytes(input, '[io/images]');
  const label = typeof input === 'string' ? JSON.stringify(input) : `the given ${input.byteLength} bytes`;
  const bytes = typeof input === 'string' ? await readBytes(input, { maxBytes: MAX_FILE_BYTES }) : input;
  // sharp would also open SVG, which may refer to other files and to the network.
  if (sniffFormat(bytes) === null) {
    throw new UnsupportedError(`[io/images] ${label} is not a PNG, JPEG or WebP image. Convert it to one of these.`);
  }
  const { default: sharp } = await importOptional('sharp', 'images', () => import('sharp'));
  return decoding(label, async () => {
    const image = sharp(bytes, { limitInputPixels: false, failOn: 'warning' });
    const { width, height } = await image.metadata();
    if (width * height > maxPixels) {
      throw new UserError(
        `[io/images] ${label} is too large: ${width}x${height} pixels, maxPixels=${maxPixels}. Shrink it, or raise maxPixels.`,
      );
    }
    const turned = orientation === 'upright' ? image.rotate() : image;
    const { data, info } = await turned.toColourspace('srgb').ensureAlpha().raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
    const rgba = { width: info.width, height: info.height, channels: info.channels as Image['channels'], data: bytesOfArray(data) };
    if (channels === 'rgba') return toRgba(rgba);
    const flat = toRgb(flattenAlpha(rgba, background));
    return channels === 'rgb' ? flat : toGrey(flat);
  });
}

/** How an image is resampled; 'area' averages, the others are sharp's kernels. */
export type ResizeKernel = 'area' | 'nearest' | 'linear' | 'cubic' | 'mitchell' | 'lanczos2' | 'lanczos3';

export interface ResizeOptions {
  readonly width: number;
  readonly height: number;
  /** 'fill' stretches, 'cover' keeps the shape and cuts the edges, 'contain' keeps it and adds background. @default 'fill' */
  readonly fit?: 'fill' | 'cover' | 'contain';
  /** @default 'lanczos3', the sharpest; 'area' never rings, which suits flat drawings */
  readonly kernel?: ResizeKernel;
  /** Behind 'contain'. @default white */
  readonly background?: Rgb;
}

/** Resize an image. @throws {UserError} when a size is not a positive integer up to 16384 */
export async function resizeImage(image: Image, options: ResizeOptions): Promise<Image> {
  const { width, height, fit = 'fill', kernel = 'lanczos3', background = WHITE } = readOptions('io/images', options);
  checkImage(image, '[io/images] resizeImage');
  checkRgb(background, '[io/images] resizeImage');
  for (const [name, size] of Object.entries({ width, height })) {
    if (!Number.isSafeInteger(size) || size < 1 || size > 16384) {
      throw new UserError(`[io/images] resizeImage: ${name}=${size} must be an integer from 1 to 16384.`);
    }
  }
  if (image.width === width && image.height === height) return image;
  if (kernel === 'area' && fit === 'fill') return resizeArea(image, { width, height });
  if (kernel === 'area') {
    throw new UnsupportedError(`[io/images] resizeImage: kernel=area has no fit=${fit}. Use fit=fill, or another kernel.`);
  }
  const pipeline = await fromRaw(image);
  const [r, g, b] = background;
  const resized = pipeline.resize({ width, height, fit, kernel, background: { r, g, b } });
  const { data, info } = await resized.raw().toBuffer({ resolveWithObject: true });
  const out = { width: info.width, height: info.height, channels: info.channels as Image['channels'], data: bytesOfArray(data) };
  // sharp may widen grey to RGB or add alpha on the way; the caller gets the channels that went in.
  if (out.channels === image.channels) return out;
  switch (image.channels) {
    case 1:
      return toGrey(toRgb(flattenAlpha(out, background)));
    case 2:
      return toGreyAlpha(toRgba(out));
    case 3:
      return toRgb(flattenAlpha(out, background));
    case 4:
      return toRgba(out);
  }
}

export interface EncodeImageOptions {
  readonly format: 'png' | 'jpeg' | 'webp';
  /** JPEG and WebP, 1 to 100. @default 90; lossless formats ignore it */
  readonly quality?: number;
  /** What shows through in a JPEG, which has no transparency. @default white, as for readImage */
  readonly background?: Rgb;
}

/** Encode an image; the same pixels give the same bytes with the same version of sharp. */
export async function encodeImage(image: Image, options: EncodeImageOptions): Promise<Uint8Array> {
  const { format, quality = 90, background = WHITE } = readOptions('io/images', options);
  checkChoice('io/images', { format }, ['png', 'jpeg', 'webp']);
  checkImage(image, '[io/images] encodeImage');
  checkRgb(background, '[io/images] encodeImage');
  if (!Number.isInteger(quality) || quality < 1 || quality > 100) {
    throw new UserError(`[io/images] encodeImage: quality=${quality} must be an integer from 1 to 100.`);
  }
  const pipeline = await fromRaw(format === 'jpeg' ? flattenAlpha(image, background) : image);
  const encoded = format === 'png' ? pipeline.png() : format === 'jpeg' ? pipeline.jpeg({ quality }) : pipeline.webp({ quality });
  return bytesOfArray(await encoded.toBuffer());
}

/**
 * Write an image atomically, in the format of the name's ending: .png, .jpg, .jpeg or .webp.
 *
 * @throws {UserError} when the ending is another one or the disk fails
 * @example
 * import { readImage, writeImage } from '@langevin/io/node';
 * await writeImage('red.png', { width: 1, height: 1, channels: 3, data: Uint8Array.of(255, 0, 0) });
 * (await readImage('red.png')).data; // => Uint8Array [255, 0, 0]
 */
export async function writeImage(path: string, image: Image, options: Omit<EncodeImageOptions, 'format'> = {}): Promise<void> {
  checkPath(path, '[io/images]');
  const format = FORMATS[extname(path).toLowerCase()];
  if (format === undefined) {
    throw new UserError(
      `[io/images] cannot tell the format of ${JSON.stringify(path)}. End its name in ${Object.keys(FORMATS).join(', ')}.`,
    );
  }
  await writeFileAtomic(path, await encodeImage(image, { format, ...options }));
}

const FORMATS: Readonly<Record<string, 'png' | 'jpeg' | 'webp'>> = { '.png': 'png', '.jpg': 'jpeg', '.jpeg': 'jpeg', '.webp': 'webp' };

/** File endings that {@link readImage} understands. */
export const imageExtensions: readonly string[] = Object.keys(FORMATS);

function sniffFormat(bytes: Uint8Array): 'png' | 'jpeg' | 'webp' | null {
  const start = String.fromCharCode(...bytes.subarray(0, 12));
  if (start.startsWith('\u0089PNG\r\n\u001a\n')) return 'png';
  if (start.startsWith('\u00ff\u00d8\u00ff')) return 'jpeg';
  if (/^RIFF[^]{4}WEBP/.test(start)) return 'webp';
  return null;
}

async function fromRaw(image: Image): Promise<Sharp> {
  const { default: sharp } = await importOptional('sharp', 'images', () => import('sharp'));
  const { width, height, channels, data } = image;
  return sharp(data, { raw: { width, height, channels } });
}

async function decoding<T>(label: string, decode: () => Promise<T>): Promise<T> {
  try {
    return await decode();
  } catch (cause) {
    if (cause instanceof UserError) throw cause;
    throw new UserError(
      `[io/images] ${label} cannot be decoded: ${(cause as Error).message.trim()}. It is damaged or truncated; replace it.`,
      { cause },
    );
  }
}

function toRgb(image: Image): Image {
  if (image.channels === 3) return image;
  return mapPixels(image, 3, (at, out, to) => out.fill(image.data[at]!, to, to + 3));
}

function toRgba(image: Image): Image {
  if (image.channels === 4) return image;
  return mapPixels(image, 4, (at, out, to) => {
    for (let c = 0; c < 3; c++) out[to + c] = image.data[at + (image.channels === 3 ? c : 0)]!;
    out[to + 3] = image.channels === 2 ? image.data[at + 1]! : 255;
  });
}

/** Rec. 601 luma of gamma-encoded values, as JPEG and most libraries have it. */
const lumaAt = (data: Uint8Array, at: number): number => Math.round(0.299 * data[at]! + 0.587 * data[at + 1]! + 0.114 * data[at + 2]!);

function toGrey(image: Image): Image {
  return mapPixels(image, 1, (at, out, to) => (out[to] = lumaAt(image.data, at)));
}

/** Of RGBA. */
function toGreyAlpha(image: Image): Image {
  return mapPixels(image, 2, (at, out, to) => out.set([lumaAt(image.data, at), image.data[at + 3]!], to));
}

function mapPixels(image: Image, channels: Image['channels'], write: (at: number, out: Uint8Array, to: number) => void): Image {
  const { width, height } = image;
  const out = new Uint8Array(width * height * channels);
  for (let p = 0; p < width * height; p++) write(p * image.channels, out, p * channels);
  return { width, height, channels, data: out };
}
