import { fromPlanar, type Image } from '@langevin/io';
import { loadDataset, readJson } from '@langevin/io/node';
import { compileForward, loadModel, sampleImages, type DiffusionModel } from '@langevin/pipelines';
import { join } from 'node:path';
import type { Contestant } from './contestants.ts';
import { featuresOf, frechetDistance, statisticsOf } from './features.ts';
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
  const truth = statisticsOf(images.map(featuresOf));
  // Every so many pictures of the data lend their labels, so that the classes are as frequent as there.
  const chosen = Array.from({ length: count }, (_, i) => Math.floor((i * labels.length) / count));
  const wanted = chosen.map((i) => labels[i]!);
  const floor = frechetDistance(statisticsOf(chosen.map((i) => featuresOf(images[i]!))), truth);
  const forward = compileForward(model.backbone);
  const points: Point[] = [];
  try {
    for (const { label, sampler } of contestants) {
      for (const number of steps) {
        for await (const event of sampleImages({ model, labels: wanted, seed: 0, sampler, steps: number, batch: 64, forward })) {
          if (event.kind !== 'done') continue;
          points.push({ series: label, x: event.nfe, y: frechetDistance(statisticsOf(event.images.map(featuresOf)), truth) });
          report(`${label}: ${event.nfe} evaluations, distance ${points.at(-1)!.y.toFixed(4)}`);
        }
      }
    }
  } finally {
    await forward.dispose();
  }
  return { points, floor, count };
}

async function trainingData(
  root: string,
  model: DiffusionModel,
): Promise<{ readonly images: readonly Image[]; readonly labels: readonly number[] }> {
  const { data } = (await readJson(join(root, 'configs/emoji.json'))) as { readonly data: { readonly name: string } };
  const dataset = await loadDataset(data);
  const [channels, height, width] = dataset.imageShape;
  if (model.backbone.classes !== dataset.classes?.length)
    throw new Error(`the checkpoint knows ${model.backbone.classes} classes, the data have ${dataset.classes?.length}`);
  const items = Array.from({ length: dataset.length }, (_, i) => dataset.item(i));
  return { images: items.map(({ image }) => fromPlanar(image, [channels, height, width])), labels: items.map(({ label }) => label) };
}
