import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '@langevin/tensor';
import * as v from 'valibot';
import { parseWith } from '../json.ts';
import { cannotRead } from '../node/file-source.ts';
import { readBytes } from '../node/read-json.ts';
import type { Dataset, DatasetPlugin } from './dataset.ts';
import { allocateImages, defineDataset, memoryDataset } from './dataset.ts';

export interface Cifar10Options {
  /** Where `data_batch_1.bin` ... and `test_batch.bin` lie. */
  readonly folder: string;
  /** @default 'train', all `data_batch_N.bin` that are there, in the order of N */
  readonly split?: 'train' | 'test';
}

const schema = v.strictObject({
  folder: v.pipe(v.string(), v.nonEmpty()),
  split: v.optional(v.picklist(['train', 'test']), 'train'),
});

const SHAPE = [3, 32, 32] as const;
const PIXELS = 3 * 32 * 32;
/** A label byte, then the red, green and blue planes (https://www.cs.toronto.edu/~kriz/cifar.html, binary version). */
const RECORD = 1 + PIXELS;
// The official batches have 10,000 records; larger files are accepted up to ten times that.
const MAX_FILE_BYTES = 100_000 * RECORD;

const CLASSES = ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'];

export const cifar10Dataset: DatasetPlugin<Cifar10Options> = defineDataset({
  name: 'cifar10',
  summary: 'CIFAR-10 in its official binary version: 32x32 RGB, 10 classes.',
  parse: (options) => parseWith(schema, options, '[io/datasets] cifar10 options'),
  load: async ({ folder, split }) => {
    const files = await batchFiles(folder, split);
    const batches = [];
    for (const file of files) batches.push({ name: file, bytes: await readBytes(join(folder, file), { maxBytes: MAX_FILE_BYTES }) });
    return decodeCifar10(batches, folder);
  },
});

/**
 * CIFAR-10 from the content of its files.
 *
 * @param where the folder or archive that they are from, for messages
 * @throws {UserError} when a file is not whole, or has a label that is none
 */
export function decodeCifar10(batches: readonly { readonly name: string; readonly bytes: Uint8Array }[], where: string): Dataset {
  const pathOf = (name: string): string => JSON.stringify(join(where, name));
  for (const { name, bytes } of batches) {
    if (bytes.length > 0 && bytes.length % RECORD === 0) continue;
    throw new UserError(
      `[io/datasets] cifar10 file ${pathOf(name)} is not whole: size=${bytes.length} is not a multiple of ${RECORD}. `
        + 'Download the binary version again.',
    );
  }
  const count = batches.reduce((sum, { bytes }) => sum + bytes.length / RECORD, 0);
  const images = allocateImages(count, SHAPE, 'cifar10');
  const labels = new Int32Array(count);
  const names: string[] = [];
  for (const { name, bytes } of batches) {
    for (let at = 0; at < bytes.length; at += RECORD) {
      const label = bytes[at]!;
      if (label >= CLASSES.length) {
        throw new UserError(
          `[io/datasets] cifar10 file ${pathOf(name)}: record ${at / RECORD} has label=${label}, `
            + 'which is not from 0 to 9. It is damaged or another data set.',
        );
      }
      labels[names.length] = label;
      images.set(bytes.subarray(at + 1, at + RECORD), names.length * PIXELS);
      names.push(`${name}#${at / RECORD}`);
    }
  }
  return memoryDataset({ name: 'cifar10', imageShape: SHAPE, images, labels, classes: CLASSES, names });
}

async function batchFiles(folder: string, split: 'train' | 'test'): Promise<string[]> {
  const all = await readdir(folder).catch((cause: unknown) => {
    throw cannotRead(folder, cause);
  });
  const wanted = split === 'test' ? /^test_batch\.bin$/ : /^data_batch_(\d+)\.bin$/;
  const files = all.filter((name) => wanted.test(name)).sort((a, b) => numberOf(a) - numberOf(b));
  if (files.length > 0) return files;
  throw new UserError(
    `[io/datasets] cifar10 folder ${JSON.stringify(folder)} has no ${split === 'test' ? 'test_batch.bin' : 'data_batch_N.bin'}. `
      + 'Download the binary version of CIFAR-10.',
  );
}

function numberOf(name: string): number {
  return Number(/(\d+)/.exec(name)?.[1] ?? 0);
}
