import { readOptions, shownValue, UserError } from '@langevin/tensor';
import type { Image } from './image.ts';
import { checkImage, checkImages, fromPlanar, toPlanar } from './image.ts';

/** Pixels for a network: planar float32 [N, C, H, W] in [-1, 1]. */
export interface PixelBatch {
  readonly data: Float32Array;
  readonly shape: readonly [batch: number, channels: number, height: number, width: number];
}

/** Byte 0..255 to [-1, 1]: 0 becomes -1, 255 becomes 1. */
export function bytesToUnit(bytes: Uint8Array, out: Float32Array = new Float32Array(bytes.length)): Float32Array {
  for (let i = 0; i < bytes.length; i++) out[i] = bytes[i]! / 127.5 - 1;
  return out;
}

/**
 * [-1, 1] to bytes: values outside are clamped, the rest rounded to the nearest.
 *
 * @throws {UserError} on NaN or infinity, which no clamp should hide
 */
export function unitToBytes(values: Float32Array): Uint8Array {
  const out = new Uint8Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!Number.isFinite(value)) {
      throw new UserError(`[io/images] pixel values must be finite: values[${i}]=${value}. The model or sampler diverged.`);
    }
    out[i] = Math.round((Math.min(1, Math.max(-1, value)) + 1) * 127.5);
  }
  return out;
}

/**
 * Turn network output into images.
 *
 * @param batch float32 [N, C, H, W] in [-1, 1]; values outside are clamped
 * @throws {UserError} when the length does not fit the shape, C is not 1 to 4, or a value is not finite
 * @example
 * import { toImages } from '@langevin/io';
 * toImages({ data: new Float32Array(3 * 2 * 2).fill(1), shape: [1, 3, 2, 2] })[0]?.data[0]; // => 255
 */
export function toImages(batch: PixelBatch): Image[] {
  const { data, shape } = readOptions('io/images', batch);
  if (!(data instanceof Float32Array) || !Array.isArray(shape) || shape.length !== 4)
    throw new UserError(
      `[io/images] toImages takes data and their shape: data=${shownValue(data)}, shape=${shownValue(shape)}. Pass a Float32Array and `
        + '[N, C, H, W].',
    );
  const [count, channels, height, width] = shape as PixelBatch['shape'];
  const size = channels * height * width;
  if (data.length !== count * size) {
    throw new UserError(`[io/images] toImages: shape=[${shape.join(', ')}] needs ${count * size} values, data has ${data.length}.`);
  }
  const bytes = unitToBytes(data);
  return Array.from({ length: count }, (_, i) => fromPlanar(bytes.subarray(i * size, (i + 1) * size), [channels, height, width]));
}

/**
 * Stack images of one size into a batch for a network, the inverse of {@link toImages}.
 *
 * @returns float32 [N, C, H, W] in [-1, 1]
 * @throws {UserError} when there is no image or they differ in size or channels
 */
export function fromImages(images: readonly Image[]): PixelBatch {
  checkImages(images, '[io/images] fromImages');
  checkImage(images[0]!, '[io/images] fromImages');
  const { width, height, channels } = images[0]!;
  const size = width * height * channels;
  const data = new Float32Array(images.length * size);
  for (const [i, image] of images.entries()) {
    checkImage(image, '[io/images] fromImages');
    if (image.width !== width || image.height !== height || image.channels !== channels) {
      throw new UserError(
        `[io/images] fromImages: images[${i}] is ${image.width}x${image.height}x${image.channels}, `
          + `images[0] is ${width}x${height}x${channels}. Resize them to one size first.`,
      );
    }
    bytesToUnit(toPlanar(image), data.subarray(i * size, (i + 1) * size));
  }
  return { data, shape: [images.length, channels, height, width] };
}
