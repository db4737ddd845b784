import * as v from 'valibot';
import type { Image, Rgb } from '../../images/image.ts';
import { readImage, resizeImage, type ResizeKernel } from '../images.ts';

/** Colours that have a name on a command line. */
const COLOURS = {
  white: [255, 255, 255],
  black: [0, 0, 0],
  grey: [128, 128, 128],
} as const;

const rgbSchema = v.pipe(
  v.tuple([v.number(), v.number(), v.number()]),
  v.check((rgb) => rgb.every((part) => Number.isInteger(part) && part >= 0 && part <= 255), 'integers from 0 to 255'),
);

export const kernelSchema = v.picklist(['area', 'nearest', 'linear', 'cubic', 'mitchell', 'lanczos2', 'lanczos3']);

export const sizeSchema = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(4096));

/** A name, `#rrggbb`, or three integers from 0 to 255. */
const backgroundSchema = v.union([
  rgbSchema,
  v.pipe(
    v.picklist(['white', 'black', 'grey']),
    v.transform((name): [number, number, number] => [...COLOURS[name]]),
  ),
  v.pipe(
    v.string(),
    v.regex(/^#[0-9a-f]{6}$/iu, 'white, black, grey, #rrggbb, or three integers from 0 to 255'),
    v.transform(
      (hex): [number, number, number] => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)) as [number, number, number],
    ),
  ),
]);

export const white = (): [number, number, number] => [255, 255, 255];

/** Options that data sets of drawings share. */
export const drawingEntries = {
  size: v.optional(sizeSchema, 64),
  background: v.optional(backgroundSchema, white),
};

/** Options that data sets of photographs share. */
export const photographEntries = {
  ...drawingEntries,
  fit: v.optional(v.picklist(['cover', 'contain', 'fill']), 'cover'),
  kernel: v.optional(kernelSchema, 'lanczos3'),
};

/** A list, which a command line may give as words with commas between them, or as its one entry. */
export function listOf<const Entry extends v.GenericSchema>(entry: Entry) {
  return v.pipe(
    v.unknown(),
    v.transform((given) =>
      typeof given === 'string' ? given.split(',').map((word) => word.trim()) : typeof given === 'number' ? [given] : given,
    ),
    v.array(entry),
    v.minLength(1),
  );
}

export const folderSchema = v.pipe(v.string(), v.nonEmpty());

/** How many frames a clip of a data set has. */
export const framesSchema = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1024));

export interface PictureForm {
  readonly size: number;
  readonly background: Rgb;
  readonly fit: 'cover' | 'contain' | 'fill';
  readonly kernel: ResizeKernel;
  /** @default 'rgb' */
  readonly channels?: 'rgb' | 'grey';
}

/** A picture from a file or its bytes, square, RGB or grey. */
export async function readPicture(input: string | Uint8Array, form: PictureForm): Promise<Image> {
  return squared(await readImage(input, { background: form.background, channels: form.channels ?? 'rgb' }), form);
}

/** A picture made square: a fit that keeps its shape asks for a kernel of sharp's, where the averaging one was asked for. */
export async function squared(image: Image, { size, background, fit, kernel }: PictureForm): Promise<Image> {
  const isSquare = image.width === image.height;
  return resizeImage(image, {
    width: size,
    height: size,
    background,
    fit: isSquare ? 'fill' : fit,
    kernel: kernel === 'area' && !isSquare && fit !== 'fill' ? 'lanczos3' : kernel,
  });
}
