import type { Image } from '@langevin/io';
import { featureSet, type FeatureInfo, type FeatureSet } from '@langevin/metrics';

/**
 * What a picture of any size is reduced to: its mean colours in 8x8 fields, and how much neighbouring pixels differ in 4x4 fields, both in
 * units of 0..1. Not Inception's features, so never to be compared with published distances: they see colours, outlines and texture.
 */
export function featuresOf({ data, width, height, channels }: Image): Float64Array {
  const colour = (x: number, y: number, c: number): number => data[(y * width + x) * channels + Math.min(c, channels - 1)]! / 255;
  const means = new Float64Array(8 * 8 * 3);
  const texture = new Float64Array(4 * 4 * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const field = (cells: number): number => Math.floor((y * cells) / height) * cells + Math.floor((x * cells) / width);
      for (let c = 0; c < 3; c++) {
        const here = colour(x, y, c);
        means[field(8) * 3 + c]! += (here * 64) / (width * height);
        const right = x + 1 < width ? Math.abs(colour(x + 1, y, c) - here) : 0;
        const below = y + 1 < height ? Math.abs(colour(x, y + 1, c) - here) : 0;
        texture[field(4) * 3 + c]! += ((right + below) * 16) / (width * height);
      }
    }
  }
  return Float64Array.from([...means, ...texture]);
}

const PLAIN: FeatureInfo = { name: 'colours-and-texture-1', layer: 'none', width: 240, hash: 'none', input: 'as they are' };

/** {@link featuresOf} each picture, as a set that metrics take: for data that no trained network is at hand for. */
export function plainFeatures(images: readonly Image[]): FeatureSet {
  const rows = new Float64Array(images.length * PLAIN.width);
  images.forEach((image, i) => rows.set(featuresOf(image), i * PLAIN.width));
  return featureSet(PLAIN, rows);
}
