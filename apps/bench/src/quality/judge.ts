import { featureSet, type FeatureInfo, type FeatureSet } from '@langevin/metrics';
import type { Image } from '@langevin/io';
import { featuresOf } from '../samplers/features.ts';

/** What pictures are compared by: no part of what is judged, and trained on none of its samples. */
export interface Judge {
  readonly features: (images: readonly Image[]) => Promise<FeatureSet>;
  /** The class of each picture. @default that of the nearest training picture, by pixels */
  readonly classify?: (images: readonly Image[]) => Promise<Int32Array>;
}

/** Pixels as features, 0..1 each: distances to training pictures are in these. */
export function pixels(images: readonly Image[]): FeatureSet {
  const { width = 0, height = 0, channels = 1 } = images[0] ?? {};
  const size = width * height * channels;
  const rows = new Float32Array(images.length * size);
  images.forEach(({ data }, i) => {
    for (let j = 0; j < size; j += 1) rows[i * size + j] = data[j]! / 255;
  });
  const info: FeatureInfo = { name: 'pixels', layer: 'none', width: size, hash: 'none', input: `${width}x${height}, 0 to 1` };
  return featureSet(info, rows);
}

const PLAIN: FeatureInfo = { name: 'colours-and-texture-1', layer: 'none', width: 240, hash: 'none', input: 'as they are' };

/** A judge without a network, for data that no trained one is at hand for: colours, outlines and texture. */
export const plainJudge: Judge = {
  features: (images) => {
    const rows = new Float64Array(images.length * PLAIN.width);
    images.forEach((image, i) => rows.set(featuresOf(image), i * PLAIN.width));
    return Promise.resolve(featureSet(PLAIN, rows));
  },
};

/** Share of pictures that are of the class that was asked for. */
export function accuracy(found: Int32Array, wanted: Int32Array): number {
  return found.reduce((right, label, i) => right + Number(label === wanted[i]), 0) / found.length;
}
