import { UserError } from '@langevin/tensor';
import { checkImage, type Image } from './image.ts';

/** Bits behind the point in which Pillow holds shares of 8-bit pixels. */
const BITS = 22;
const HALF = 2 ** (BITS - 1);

/**
 * Resizes as Pillow does with `BICUBIC`, byte for byte: Keys' kernel with a = -1/2, as wide as a new pixel is where a picture shrinks,
 * along rows first, each pass rounded to bytes. What image encoders of CLIP are fed with is resized so.
 *
 * @throws UserError for what is no image of 1 or 3 channels, or sizes that are no positive integers
 * @example
 * const image = { width: 2, height: 1, channels: 1, data: Uint8Array.of(0, 255) } as const;
 * [...resizeBicubic(image, { width: 4, height: 1 }).data]; // => [0, 53, 202, 255]
 */
export function resizeBicubic(image: Image, size: { readonly width: number; readonly height: number }): Image {
  checkImage(image, '[io/images] resizeBicubic');
  const { width, height } = size;
  if (![width, height].every((side) => Number.isSafeInteger(side) && side > 0 && side <= 65_536))
    throw new UserError(`[io/images] resizeBicubic: width=${width}, height=${height} must be integers from 1 to 65536.`);
  if (image.channels === 2 || image.channels === 4)
    throw new UserError(
      `[io/images] resizeBicubic: image has alpha: channels=${image.channels}. Put it on a background with flattenAlpha.`,
    );
  const wide = image.width === width ? image : alongRows(image, width);
  return wide.height === height ? { ...wide, data: wide.data.slice() } : turned(alongRows(turned(wide), height));
}

/** Which pixels a new one is made of, and their shares in fixed point. */
interface Shares {
  readonly first: number;
  readonly shares: readonly number[];
}

function alongRows({ width: from, height, channels, data }: Image, width: number): Image {
  const all = sharesOf(from, width);
  const out = new Uint8Array(width * height * channels);
  for (let y = 0; y < height; y++)
    for (const [x, { first, shares }] of all.entries())
      for (let c = 0; c < channels; c++) {
        let sum = HALF;
        for (const [i, share] of shares.entries()) sum += data[(y * from + first + i) * channels + c]! * share;
        out[(y * width + x) * channels + c] = Math.min(255, Math.max(0, Math.floor(sum / 2 ** BITS)));
      }
  return { width, height, channels, data: out };
}

function sharesOf(from: number, to: number): readonly Shares[] {
  const scale = from / to;
  const stretch = Math.max(1, scale);
  const support = 2 * stretch;
  return Array.from({ length: to }, (_, i) => {
    const center = (i + 0.5) * scale;
    const first = Math.max(0, Math.trunc(center - support + 0.5));
    const last = Math.min(from, Math.trunc(center + support + 0.5));
    const values = Array.from({ length: last - first }, (__, k) => kernel((first + k - center + 0.5) / stretch));
    const total = values.reduce((a, b) => a + b, 0);
    return { first, shares: values.map((value) => fixed(value / total)) };
  });
}

/** Keys 1981, equation 4, with a = -1/2. */
function kernel(x: number): number {
  const a = -0.5;
  const t = Math.abs(x);
  if (t < 1) return ((a + 2) * t - (a + 3)) * t * t + 1;
  return t < 2 ? (((t - 5) * t + 8) * t - 4) * a : 0;
}

function fixed(share: number): number {
  return Math.trunc(share * 2 ** BITS + (share < 0 ? -0.5 : 0.5));
}

/** Rows become columns. */
function turned({ width, height, channels, data }: Image): Image {
  const out = new Uint8Array(data.length);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let c = 0; c < channels; c++) out[(x * height + y) * channels + c] = data[(y * width + x) * channels + c]!;
  return { width: height, height: width, channels, data: out };
}
