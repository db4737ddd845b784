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

/** The first pictures, or those behind them. */
export function part({ images, labels, classes }: Pictures, from: number, to: number): Pictures {
  return { images: images.slice(from, to), labels: labels.slice(from, to), classes };
}
