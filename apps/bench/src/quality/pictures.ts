import type { Image } from '@langevin/io';
import { openData } from '@langevin/io/node';
import { labelledPictures } from '@langevin/pipelines';
import { dataFolder } from './runs.ts';

/** Pictures with the number of each one's class. */
export interface Pictures {
  readonly images: readonly Image[];
  readonly labels: Int32Array;
  /** Names of the classes. */
  readonly classes: readonly string[];
}

/** All pictures of a part of a data set. */
export async function loadPictures(
  root: string,
  { name, split, labels: by }: { readonly name: string; readonly split: 'train' | 'test'; readonly labels: string },
): Promise<Pictures> {
  const folder = dataFolder(root, name);
  const { source } = await openData({ name, split, ...(folder !== undefined && { folder }) });
  const { source: pictures, labels, classes } = labelledPictures(source, { labels: by });
  const images: Image[] = [];
  for (let i = 0; i < pictures.length; i += 1) images.push((await pictures.load(i)).image);
  return { images, labels, classes: classes ?? [] };
}

/** So many pictures, evenly spread over the set: data sets are often in the order of their sources. */
export function spread({ images, labels, classes }: Pictures, count: number): Pictures {
  const chosen = evenly(images.length, count);
  return only({ images, labels, classes }, (i) => chosen.has(i));
}

/** The pictures that {@link spread} leaves. */
export function rest({ images, labels, classes }: Pictures, count: number): Pictures {
  const taken = evenly(images.length, count);
  return only({ images, labels, classes }, (i) => !taken.has(i));
}

function evenly(length: number, count: number): ReadonlySet<number> {
  return new Set(Array.from({ length: count }, (_, i) => Math.floor((i * length) / count)));
}

function only({ images, labels, classes }: Pictures, keeps: (i: number) => boolean): Pictures {
  return { images: images.filter((_, i) => keeps(i)), labels: labels.filter((_, i) => keeps(i)), classes };
}
