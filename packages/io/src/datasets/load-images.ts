import { UserError } from '@langevin/tensor';
import * as v from 'valibot';
import type { Image, Rgb } from '../images/image.ts';
import { toPlanar } from '../images/image.ts';
import type { ResizeKernel } from '../node/images.ts';
import { readImage, resizeImage } from '../node/images.ts';
import type { Dataset, SkippedFile } from './dataset.ts';
import { allocateImages } from './dataset.ts';

// Decoding runs in sharp's thread pool; more in flight only costs memory.
const IN_FLIGHT = 8;

export const rgbSchema = v.pipe(
  v.tuple([v.number(), v.number(), v.number()]),
  v.check((rgb) => rgb.every((part) => Number.isInteger(part) && part >= 0 && part <= 255), 'integers from 0 to 255'),
);

export const kernelSchema = v.picklist(['area', 'nearest', 'linear', 'cubic', 'mitchell', 'lanczos2', 'lanczos3']);

export const sizeSchema = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(4096));

export interface LoadImagesOptions {
  readonly name: string;
  readonly paths: readonly string[];
  readonly size: number;
  readonly channels: 'rgb' | 'grey';
  readonly background: Rgb;
  readonly kernel: ResizeKernel;
  readonly fit: 'fill' | 'cover' | 'contain';
  readonly onUnreadable: 'error' | 'skip';
}

export interface LoadedImages {
  readonly images: Uint8Array;
  readonly imageShape: Dataset['imageShape'];
  /** Which of `paths` were read, in order. */
  readonly kept: readonly number[];
  readonly skipped: readonly SkippedFile[];
}

/** Decode and resize many files into one array, in the order of `paths` however the decoding is scheduled. */
export async function loadImages(options: LoadImagesOptions): Promise<LoadedImages> {
  const { name, paths, size, channels, onUnreadable } = options;
  const imageShape = [channels === 'rgb' ? 3 : 1, size, size] as const;
  const images = allocateImages(paths.length, imageShape, name);
  const bytes = imageShape[0] * size * size;
  const kept: number[] = [];
  const skipped: SkippedFile[] = [];
  for (let start = 0; start < paths.length; start += IN_FLIGHT) {
    const some = paths.slice(start, start + IN_FLIGHT);
    const loaded = await Promise.allSettled(some.map((path) => loadOne(path, options)));
    for (const [i, result] of loaded.entries()) {
      if (result.status === 'fulfilled') {
        images.set(toPlanar(result.value), kept.length * bytes);
        kept.push(start + i);
      } else {
        // A missing decoder is not the file's fault and would skip every one of them.
        if (onUnreadable === 'error' || isSetupError(result.reason)) throw result.reason;
        skipped.push({ path: some[i]!, reason: (result.reason as Error).message });
      }
    }
  }
  if (kept.length === 0) {
    throw new UserError(
      `[io/datasets] ${name}: none of ${paths.length} images can be read; the first: ${skipped[0]?.reason ?? 'no image given'}`,
    );
  }
  return { images: images.subarray(0, kept.length * bytes), imageShape, kept, skipped };
}

async function loadOne(path: string, options: LoadImagesOptions): Promise<Image> {
  const { size, channels, background, kernel, fit } = options;
  const image = await readImage(path, { channels, background });
  return resizeImage(image, { width: size, height: size, kernel, fit, background });
}

function isSetupError(error: unknown): boolean {
  return error instanceof Error && /sharp (is not installed|could not be loaded)/.test(error.message);
}
