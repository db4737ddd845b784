import { shownValue, UserError } from '@langevin/tensor';

/** 8-bit pixels, row-major with interleaved channels [H, W, C]: 1 = grey, 2 = grey + alpha, 3 = RGB, 4 = RGBA. */
export interface Image {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 2 | 3 | 4;
  readonly data: Uint8Array;
}

/** Red, green and blue from 0 to 255. */
export type Rgb = readonly [red: number, green: number, blue: number];

export const WHITE: Rgb = [255, 255, 255];

/** @throws {UserError} when the sizes are not positive integers or the data does not have their product */
export function checkImage(image: Image, where: string): void {
  if (typeof image !== 'object' || image === null)
    throw new UserError(`${where} got no image: image=${shownValue(image)}. Pass { width, height, channels, data }.`);
  const { width, height, channels, data } = image;
  const positive = [width, height].every((size) => Number.isSafeInteger(size) && size > 0);
  if (!positive || ![1, 2, 3, 4].includes(channels) || !(data instanceof Uint8Array) || data.length !== width * height * channels) {
    const bytes = data instanceof Uint8Array ? `${data.length} bytes` : shownValue(data);
    throw new UserError(
      `${where} got a malformed image: width=${shownValue(width)}, height=${shownValue(height)}, channels=${shownValue(channels)}, `
        + `data=${bytes}. The data must be a Uint8Array of width * height * channels bytes.`,
    );
  }
}

/** @throws {UserError} when it is no list, or has no image */
export function checkImages(images: readonly Image[], where: string): void {
  if (!Array.isArray(images)) throw new UserError(`${where} takes a list of images: images=${shownValue(images)}. Pass [image, ...].`);
  if (images.length === 0) throw new UserError(`${where}: no image given. Pass at least one.`);
}

/** @throws {UserError} when a component is not an integer from 0 to 255 */
export function checkRgb(colour: Rgb, where: string): void {
  const isList = Array.isArray(colour);
  if (isList && colour.length === 3 && colour.every((part) => Number.isInteger(part) && part >= 0 && part <= 255)) return;
  const shown = isList ? `[${colour.join(', ')}]` : shownValue(colour);
  throw new UserError(`${where} got colour=${shown}; three integers from 0 to 255 are needed.`);
}

/**
 * Put an image with alpha on an opaque background; images without alpha are returned as they are.
 *
 * @param background what shows through. @default white
 */
export function flattenAlpha(image: Image, background: Rgb = WHITE): Image {
  checkImage(image, '[io/images] flattenAlpha');
  checkRgb(background, '[io/images] flattenAlpha');
  const { width, height, channels, data } = image;
  if (channels === 1 || channels === 3) return image;
  const opaque = channels === 2 ? 1 : 3;
  // Rec. 601 luma, the weights of JPEG, when the picture is grey.
  const back = opaque === 3 ? background : [Math.round(0.299 * background[0] + 0.587 * background[1] + 0.114 * background[2])];
  const out = new Uint8Array(width * height * opaque);
  for (let p = 0; p < width * height; p++) {
    const alpha = data[p * channels + opaque]! / 255;
    for (let c = 0; c < opaque; c++) {
      out[p * opaque + c] = Math.round(data[p * channels + c]! * alpha + back[c]! * (1 - alpha));
    }
  }
  return { width, height, channels: opaque, data: out };
}

/** Interleaved [H, W, C] to planar [C, H, W], the order of datasets and networks. */
export function toPlanar(image: Image): Uint8Array {
  checkImage(image, '[io/images] toPlanar');
  const { width, height, channels, data } = image;
  const out = new Uint8Array(data.length);
  const plane = width * height;
  for (let c = 0; c < channels; c++) {
    for (let p = 0; p < plane; p++) out[c * plane + p] = data[p * channels + c]!;
  }
  return out;
}

/** Planar [C, H, W] to an image. @throws {UserError} when the length does not fit the shape */
export function fromPlanar(planar: Uint8Array, shape: readonly [channels: number, height: number, width: number]): Image {
  const [channels, height, width] = shape;
  const image: Image = { width, height, channels: channels as Image['channels'], data: new Uint8Array(planar.length) };
  checkImage(image, '[io/images] fromPlanar');
  const plane = width * height;
  for (let c = 0; c < channels; c++) {
    for (let p = 0; p < plane; p++) image.data[p * channels + c] = planar[c * plane + p]!;
  }
  return image;
}
