import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { featureSet, type FeatureInfo, type FeatureSet } from '@langevin/metrics';
import { JUDGE_FILES, loadJudge } from '@langevin/metrics/node';
import type { Image } from '@langevin/io';
import type { Engine } from '@langevin/tensor';
import { plainFeatures } from '../samplers/features.ts';

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

/** A judge without a network, for data that no trained one is at hand for: colours, outlines and texture. */
export const plainJudge: Judge = { features: (images) => Promise.resolve(plainFeatures(images)) };

/** Where judges lie, a folder for each data set: `LANGEVIN_JUDGES`, or `models/judges`. */
function judgeFolder(root: string, data: string): string {
  return join(process.env['LANGEVIN_JUDGES'] ?? join(root, 'models', 'judges'), data);
}

/** The judge that was trained on a data set, by another recipe and seed than any of the models; without one, the plain judge. */
export async function judgeOf(data: string, { root, engine }: { readonly root: string; readonly engine: Engine }): Promise<Judge> {
  const folder = judgeFolder(root, data);
  if (!existsSync(join(folder, JUDGE_FILES.record))) return plainJudge;
  const judge = await loadJudge(folder, { engine });
  return {
    features: (images) => judge.features(images),
    classify: async (images) => (await judge.probabilities(images)).labels,
  };
}

/** Share of pictures that are of the class that was asked for. */
export function accuracy(found: Int32Array, wanted: Int32Array): number {
  return found.reduce((right, label, i) => right + Number(label === wanted[i]), 0) / found.length;
}
