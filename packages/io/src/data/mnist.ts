import * as v from 'valibot';
import { loadMnist, MNIST_LICENCE, mnistParts } from '../node/data/mnist-parts.ts';
import { folderSchema } from '../node/data/picture-options.ts';
import { idxContent, idxPicture } from '../node/data/read-idx.ts';
import type { PictureItem } from '../sources/data-source.ts';
import { defineData, type DataPlugin } from '../sources/define-data.ts';
import { labelledSource } from '../sources/picture-source.ts';

export interface MnistOptions {
  /** @default 'train' */
  readonly split?: 'train' | 'test';
  /** Where the files of the official names lie. @default they are fetched */
  readonly folder?: string;
}

const WORDS = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];

const options = v.strictObject({ split: v.optional(v.picklist(['train', 'test']), 'train'), folder: v.optional(folderSchema) });

export const mnistData: DataPlugin<MnistOptions, PictureItem> = defineData({
  name: 'mnist',
  summary: 'Handwritten digits, grey, 28x28, with captions: 60,000 to train on and 10,000 to test.',
  licences: [MNIST_LICENCE],
  options,
  parts: mnistParts,
  open: async (chosen, context) => {
    const pictures = await loadMnist(chosen, context);
    return labelledSource({
      name: `mnist (${chosen.split})`,
      count: pictures.count,
      picture: (i) => idxPicture(pictures, i),
      contentOf: (i) => idxContent(pictures, i),
      labels: pictures.labels!,
      captionOf: (digit) => `the digit ${WORDS[Number(digit)] ?? digit}, handwritten`,
    });
  },
});
