import { UserError } from '@langevin/tensor';
import type { Image } from './image.ts';
import { checkImage } from './image.ts';

/**
 * Shrink or enlarge by averaging the area that each new pixel covers: no ringing and no sharpening, and the same bytes
 * on every machine. Where the sizes divide, each new pixel is the plain mean of a block. Colours count by their alpha, where there is one,
 * so that what is transparent lends its neighbours no colour; where all of it is, the result is transparent black, as sharp has it.
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
  const alpha = channels === 2 || channels === 4 ? channels - 1 : -1;
  const sum = new Float64Array(channels);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      sum.fill(0);
      for (const row of rows[y]!) {
        for (const column of columns[x]!) {
          const from = (row.index * image.width + column.index) * channels;
          const share = row.weight * column.weight;
          const opacity = alpha < 0 ? 1 : image.data[from + alpha]! / 255;
          for (let c = 0; c < channels; c++) sum[c]! += image.data[from + c]! * share * (c === alpha ? 1 : opacity);
        }
      }
      const covered = alpha < 0 ? 1 : sum[alpha]! / 255;
      for (let c = 0; c < channels; c++) {
        const value = c === alpha ? sum[c]! : covered > 0 ? sum[c]! / covered : 0;
        data[(y * width + x) * channels + c] = Math.round(value);
      }
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
