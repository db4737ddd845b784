import * as v from 'valibot';
import { UserError } from '@langevin/tensor';
import { idxContent, idxPicture, readIdxPictures } from '../node/data/read-idx.ts';
import { listOf } from '../node/data/picture-options.ts';
import type { PictureItem } from '../sources/data-source.ts';
import { defineData, type DataPlugin } from '../sources/define-data.ts';
import { labelledSource } from '../sources/picture-source.ts';

export interface IdxOptions {
  /** An IDX file of unsigned bytes [N, H, W] or [N, C, H, W], plain or gzip, for example `train-images-idx3-ubyte.gz`. */
  readonly images: string;
  /** An IDX file of unsigned bytes [N]. @default the pictures are not labelled */
  readonly labels?: string;
  /** What the labels stand for. @default '0', '1', ... */
  readonly classes?: readonly string[];
}

const path = v.pipe(v.string(), v.nonEmpty());
const options = v.strictObject({ images: path, labels: v.optional(path), classes: v.optional(listOf(path)) });

export const idxData: DataPlugin<IdxOptions, PictureItem> = defineData({
  name: 'idx',
  summary: 'Your IDX files of bytes, plain or gzip, as Fashion-MNIST, EMNIST and KMNIST have them.',
  licences: [{ name: 'your own', attribution: 'Files of yours: you know who made them' }],
  options,
  open: async ({ images, labels, classes }) => {
    if (classes !== undefined && labels === undefined)
      throw new UserError('[io/data] idx: classes are given without labels. Name the file of the labels.');
    const pictures = await readIdxPictures({ images, labels });
    return labelledSource({
      name: 'idx',
      count: pictures.count,
      picture: (i) => idxPicture(pictures, i),
      contentOf: (i) => idxContent(pictures, i),
      ...(pictures.labels && { labels: pictures.labels }),
      ...(classes && { classes }),
    });
  },
});
