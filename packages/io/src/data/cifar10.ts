import * as v from 'valibot';
import { CIFAR10_CLASSES, decodeCifar10, readCifar10Folder, type Cifar10File } from '../node/data/cifar10-files.ts';
import { folderSchema } from '../node/data/picture-options.ts';
import { readTarGz } from '../node/data/tar.ts';
import type { PictureItem } from '../sources/data-source.ts';
import { defineData, folderOf, type DataPlugin, type FilePart } from '../sources/define-data.ts';
import { contentOfPicture, labelledSource } from '../sources/picture-source.ts';

export interface Cifar10DataOptions {
  /** @default 'train' */
  readonly split?: 'train' | 'test';
  /** Where `data_batch_1.bin` ... and `test_batch.bin` lie. @default they are fetched, 170 MB */
  readonly folder?: string;
}

const ARCHIVE: FilePart = {
  kind: 'file',
  name: 'cifar-10-binary.tar.gz',
  urls: ['https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz'],
  bytes: 170_052_171,
  sha256: 'c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd',
};
const FOLDER = 'cifar-10-batches-bin/';
const FILES = { train: [1, 2, 3, 4, 5].map((number) => `data_batch_${number}.bin`), test: ['test_batch.bin'] };
/** Six files of 30.73 MB, with some room for the archive's own words. */
const UNPACKED = 192 * 1024 * 1024;

const options = v.strictObject({ split: v.optional(v.picklist(['train', 'test']), 'train'), folder: v.optional(folderSchema) });

export const cifar10Data: DataPlugin<Cifar10DataOptions, PictureItem> = defineData({
  name: 'cifar10',
  summary: 'Photographs of ten kinds of things, 32x32, with captions: 50,000 to train on and 10,000 to test.',
  licences: [
    {
      name: 'no licence stated; research use',
      attribution: 'CIFAR-10 by Alex Krizhevsky, Vinod Nair and Geoffrey Hinton',
      url: 'https://www.cs.toronto.edu/~kriz/cifar.html',
    },
  ],
  options,
  parts: ({ folder }) => (folder === undefined ? [ARCHIVE] : []),
  open: async ({ split, folder }, context) => {
    const where = folder ?? folderOf(ARCHIVE.name, context);
    const files = folder === undefined ? await filesOfArchive(where, split) : await readCifar10Folder(folder, split);
    const { count, labels, picture } = decodeCifar10(files, where);
    return labelledSource({
      name: `cifar10 (${split})`,
      count,
      picture,
      contentOf: (i) => contentOfPicture(picture(i)),
      labels,
      classes: CIFAR10_CLASSES,
      captionOf: (kind) => `a photo of ${/^[aeiou]/iu.test(kind) ? 'an' : 'a'} ${kind}`,
    });
  },
});

async function filesOfArchive(path: string, split: 'train' | 'test'): Promise<readonly Cifar10File[]> {
  const wanted = FILES[split].map((name) => `${FOLDER}${name}`);
  const found = await readTarGz(path, { wanted, maxBytes: UNPACKED });
  return FILES[split].map((name) => ({ name, bytes: found.get(`${FOLDER}${name}`)! }));
}
