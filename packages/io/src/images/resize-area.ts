import { UserError } from '@langevin/tensor';
import type { Image } from './image.ts';
import { checkImage } from './image.ts';

/**
 * Shrink or enlarge by averaging the area that each new pixel covers: no ringing and no sharpening, and the same bytes
 * on every machine. Where the sizes divide, each new pixel is the plain mean of a block.
 */
export function resizeArea(image: Image, size: { readonly width: number; readonly height: number }): Image {
  checkImage(image, '[io/images] resizeArea');
  const { width, height } = size;
  if (![width, height].every((side) => Number.isSafeInteger(side) && side > 0)) {
    throw new UserError(`[io/images] resizeArea: width=${width}, height=${height} must be positive integers.`);
  }
  const { channels } = image;
  const columns = coverage(image.width, width);
  const rows = coverage(image.height, height);
  const data = new Uint8Array(width * height * channels);
  const sum = new Float64Array(channels);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      sum.fill(0);
      for (const row of rows[y]!) {
        for (const column of columns[x]!) {
          const from = (row.index * image.width + column.index) * channels;
          for (let c = 0; c < channels; c++) sum[c]! += image.data[from + c]! * row.weight * column.weight;
        }
      }
      for (let c = 0; c < channels; c++) data[(y * width + x) * channels + c] = Math.round(sum[c]!);
    }
  }
  return { width, height, channels, data };
}

interface Share {
  readonly index: number;
  readonly weight: number;
}

/** For each new pixel, the old pixels under it with the share of its length that they cover; shares sum to 1. */
function coverage(from: number, to: number): Share[][] {
  return Array.from({ length: to }, (_, i) => {
    const begin = (i * from) / to;
    const end = ((i + 1) * from) / to;
    const shares: Share[] = [];
    for (let index = Math.floor(begin); index < Math.min(from, Math.ceil(end)); index++) {
      const length = Math.min(end, index + 1) - Math.max(begin, index);
      if (length > 0) shares.push({ index, weight: length / (end - begin) });
    }
    return shares;
  });
}
