import type { Image } from '@langevin/io';
import { maskLight } from './mask-light.ts';

/**
 * A picture whose part outside of a mask is that of another, bit for bit: an autoencoder changes all of it a little, and each mask covers
 * whole squares of pixels. Greys of the mask mix the two.
 */
export function outsideKept(made: Image, { before, mask }: { readonly before: Image; readonly mask: Image }): Image {
  const light = maskLight(mask);
  const data = made.data.map((value, i) => {
    const share = light[Math.floor(i / made.channels)]! / 255;
    return Math.round(share * value + (1 - share) * before.data[i]!);
  });
  return { ...made, data };
}
