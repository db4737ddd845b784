import { featureSet, nearestItems, type FeatureInfo, type FeatureSet } from '@langevin/metrics';
import type { Image } from '@langevin/io';
import type { Engine } from '@langevin/tensor';
import { featuresOf } from '../samplers/features.ts';
import type { Pictures } from './pictures.ts';

/** What pictures are compared by: no part of what is judged, and trained on none of its samples. */
export interface Judge {
  /** What it is, with its hash, for the page. */
  readonly info: FeatureInfo;
  readonly features: (images: readonly Image[]) => Promise<FeatureSet>;
  /** The class of each picture, and how often it is right on held-out data. */
  readonly classify: (images: readonly Image[]) => Promise<Int32Array>;
  readonly classifier: string;
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

/**
 * A judge without a network: colours, outlines and texture as features, and the class of the nearest training picture. It serves where no
 * trained judge is at hand.
 */
export function plainJudge({ training, engine }: { readonly training: Pictures; readonly engine: Engine }): Judge {
  const known = pixels(training.images);
  return {
    info: { name: 'colours-and-texture-1', layer: 'none', width: 240, hash: 'none', input: 'as they are' },
    features: async (images) => {
      const rows = new Float64Array(images.length * 240);
      images.forEach((image, i) => rows.set(featuresOf(image), i * 240));
      return featureSet({ name: 'colours-and-texture-1', layer: 'none', width: 240, hash: 'none', input: 'as they are' }, rows);
    },
    classify: async (images) => {
      const { items } = await nearestItems(pixels(images), known, { engine });
      return Int32Array.from(items, (item) => training.labels[item]!);
    },
    classifier: 'the class of the nearest training picture, by pixels',
  };
}

/** Share of pictures that are of the class that was asked for. */
export function accuracy(found: Int32Array, wanted: Int32Array): number {
  return found.reduce((right, label, i) => right + Number(label === wanted[i]), 0) / found.length;
}
