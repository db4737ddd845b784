import type { Image } from '@langevin/io';

/**
 * How white each pixel of a mask is, 0..255. Colours are light as in video of standard definition (ITU-R BT.601), in whole numbers as
 * Pillow has it; what is transparent is not white, whatever colour a program left under it.
 */
export function maskLight({ data, channels, width, height }: Image): Uint8Array {
  const colours = channels < 3 ? 1 : 3;
  return Uint8Array.from({ length: width * height }, (_, i) => {
    const at = i * channels;
    const light = colours === 1 ? data[at]! : (19_595 * data[at]! + 38_470 * data[at + 1]! + 7471 * data[at + 2]! + 32_768) >> 16;
    return channels === colours ? light : Math.round((light * data[at + colours]!) / 255);
  });
}
