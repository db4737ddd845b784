import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '@langevin/tensor';
import { fromPlanar, type Image } from '../../images/image.ts';
import { cannotRead } from '../file-source.ts';
import { readBytes } from '../read-json.ts';

const SHAPE = [3, 32, 32] as const;
/** A label byte, then the red, green and blue planes (https://www.cs.toronto.edu/~kriz/cifar.html, binary version). */
const RECORD = 1 + 3 * 32 * 32;
// The official batches have 10,000 records; larger files are accepted up to ten times that.
const MAX_FILE_BYTES = 100_000 * RECORD;

/** What its labels stand for. */
export const CIFAR10_CLASSES = ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'];

/** A file of records. */
export interface Cifar10File {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Its pictures, decoded when they are asked for. */
export interface Cifar10Pictures {
  readonly count: number;
  readonly labels: Uint8Array;
  readonly picture: (i: number) => Image;
}

/** The files of a split that lie in a folder: all `data_batch_N.bin` that are there, in the order of N, or the test batch. */
export async function readCifar10Folder(folder: string, split: 'train' | 'test'): Promise<readonly Cifar10File[]> {
  const files = [];
  for (const name of await batchFiles(folder, split))
    files.push({ name, bytes: await readBytes(join(folder, name), { maxBytes: MAX_FILE_BYTES }) });
  return files;
}

/**
 * CIFAR-10 from the content of its files.
 *
 * @param where the folder or archive that they are from, for messages
 * @throws UserError when a file is not whole, or has a label that is none
 */
export function decodeCifar10(files: readonly Cifar10File[], where: string): Cifar10Pictures {
  const records: Uint8Array[] = [];
  for (const { name, bytes } of files) {
    const path = JSON.stringify(join(where, name));
    if (bytes.length === 0 || bytes.length % RECORD !== 0) {
      throw new UserError(
        `[io/data] cifar10 file ${path} is not whole: size=${bytes.length} is not a multiple of ${RECORD}. Download the binary version `
          + 'again.',
      );
    }
    for (let at = 0; at < bytes.length; at += RECORD) {
      const label = bytes[at]!;
      if (label >= CIFAR10_CLASSES.length) {
        throw new UserError(
          `[io/data] cifar10 file ${path}: record ${at / RECORD} has label=${label}, which is not from 0 to 9. It is damaged or another `
            + 'data set.',
        );
      }
      records.push(bytes.subarray(at, at + RECORD));
    }
  }
  return {
    count: records.length,
    labels: Uint8Array.from(records, (record) => record[0]!),
    picture: (i) => fromPlanar(records[i]!.subarray(1), SHAPE),
  };
}

async function batchFiles(folder: string, split: 'train' | 'test'): Promise<readonly string[]> {
  const all = await readdir(folder).catch((cause: unknown) => {
    throw cannotRead(folder, cause);
  });
  const wanted = split === 'test' ? /^test_batch\.bin$/u : /^data_batch_(\d+)\.bin$/u;
  const files = all.filter((name) => wanted.test(name)).sort((a, b) => numberOf(a) - numberOf(b));
  if (files.length > 0) return files;
  throw new UserError(
    `[io/data] cifar10 folder ${JSON.stringify(folder)} has no ${split === 'test' ? 'test_batch.bin' : 'data_batch_N.bin'}. `
      + 'Download the binary version of CIFAR-10.',
  );
}

function numberOf(name: string): number {
  return Number(/(\d+)/u.exec(name)?.[1] ?? 0);
}
