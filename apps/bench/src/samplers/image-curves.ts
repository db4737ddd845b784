import { networkDenoiser } from '@langevin/diffusion';
import type { Image } from '@langevin/io';
import { frechetDistance, momentsOf } from '@langevin/metrics';
import { openData, readJson } from '@langevin/io/node';
import { labelledPictures, loadModel, sampleImages, type DiffusionModel } from '@langevin/pipelines';
import { join } from 'node:path';
import type { Contestant } from './contestants.ts';
import { plainFeatures } from './features.ts';
import type { Point } from './plot.ts';

export interface ImageCurvesOptions {
  /** Root of the repository: the checkpoint of the main job and its training data are found from there. */
  readonly root: string;
  readonly contestants: readonly Contestant[];
  /** Numbers of steps; evaluations follow from them. */
  readonly steps: readonly number[];
  /** Pictures for each point. */
  readonly count: number;
  readonly report: (line: string) => void;
}

export interface ImageCurves {
  readonly points: readonly Point[];
  /** The distance of as many pictures of the data from all of them: what a perfect sampler would score. */
  readonly floor: number;
  readonly count: number;
}

/** Frechet distance between pictures of the main job's checkpoint and the pictures it was trained on, by evaluations of the network. */
export async function imageCurves({ root, contestants, steps, count, report }: ImageCurvesOptions): Promise<ImageCurves> {
  const model = await loadModel(join(root, 'models/emoji'));
  const { images, labels } = await trainingData(root, model);
  const truth = momentsOf(plainFeatures(images));
  const distanceOf = (pictures: readonly Image[]): number => frechetDistance(momentsOf(plainFeatures(pictures)), truth).value;
  // Every so many pictures of the data lend their labels, so that the classes are as frequent as there.
  const chosen = Array.from({ length: count }, (_, i) => Math.floor((i * labels.length) / count));
  const wanted = chosen.map((i) => labels[i]!);
  const floor = distanceOf(chosen.map((i) => images[i]!));
  const compiled = networkDenoiser({ network: model.network, params: model.params, noise: model.noise });
  const points: Point[] = [];
  try {
    for (const { label, sampler } of contestants) {
      for (const number of steps) {
        for await (const event of sampleImages({ model, labels: wanted, seed: 0, sampler, steps: number, batch: 64, compiled })) {
          if (event.kind !== 'done') continue;
          points.push({ series: label, x: event.nfe, y: distanceOf(event.images) });
          report(`${label}: ${event.nfe} evaluations, distance ${points.at(-1)!.y.toFixed(4)}`);
        }
      }
    }
  } finally {
    await compiled.dispose();
  }
  return { points, floor, count };
}

async function trainingData(
  root: string,
  model: DiffusionModel,
): Promise<{ readonly images: readonly Image[]; readonly labels: readonly number[] }> {
  const config = (await readJson(join(root, 'configs/emoji.json'))) as { readonly data: unknown; readonly labels: string };
  const { source, classes, labels } = labelledPictures((await openData(config.data)).source, { labels: config.labels });
  // A released model keeps the order of classes that it was trained with.
  const known = model.labels?.classes ?? [];
  const labelOf = new Map(known.map((name, label) => [name, label]));
  const missing = classes?.find((name) => !labelOf.has(name));
  if (classes === null || missing !== undefined)
    throw new Error(`the data have a class that the checkpoint does not know: class=${missing ?? 'none'}, known=${known.length}`);
  const items = await Promise.all(Array.from({ length: source.length }, (_, i) => source.load(i)));
  return { images: items.map(({ image }) => image), labels: Array.from(labels, (label) => labelOf.get(classes[label]!)!) };
}
