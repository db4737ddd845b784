import { join } from 'node:path';
import { UserError } from '@langevin/tensor';
import { folderOf, type DataLicence, type FilePart, type OpenContext } from '../../sources/define-data.ts';
import { readIdxPictures, type IdxPictures } from './read-idx.ts';

/** The owner's server of old is gone for the public; these carry the same files. */
const MIRRORS = ['https://storage.googleapis.com/cvdf-datasets/mnist/', 'https://ossci-datasets.s3.amazonaws.com/mnist/'];

const file = (name: string, bytes: number, sha256: string): FilePart => ({
  kind: 'file',
  name,
  urls: MIRRORS.map((mirror) => `${mirror}${name}`),
  bytes,
  sha256,
});

const FILES = {
  train: [
    file('train-images-idx3-ubyte.gz', 9_912_422, '440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609'),
    file('train-labels-idx1-ubyte.gz', 28_881, '3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c'),
  ],
  test: [
    file('t10k-images-idx3-ubyte.gz', 1_648_877, '8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6'),
    file('t10k-labels-idx1-ubyte.gz', 4542, 'f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6'),
  ],
} as const;

export type Split = keyof typeof FILES;

export const MNIST_LICENCE: DataLicence = {
  name: 'CC-BY-SA-3.0',
  attribution: 'MNIST by Yann LeCun, Corinna Cortes and Christopher J.C. Burges',
  url: 'https://creativecommons.org/licenses/by-sa/3.0/',
};

interface Where {
  readonly split: Split;
  /** Where the four files lie already. */
  readonly folder?: string | undefined;
}

export function mnistParts({ split, folder }: Where): readonly FilePart[] {
  return folder === undefined ? FILES[split] : [];
}

export async function loadMnist({ split, folder }: Where, context: OpenContext): Promise<IdxPictures> {
  const [images, labels] = FILES[split].map(({ name }) => (folder === undefined ? folderOf(name, context) : join(folder, name)));
  const pictures = await readIdxPictures({ images: images!, labels: labels! });
  if (pictures.shape[0] === 1) return pictures;
  throw new UserError(
    `[io/data] digits are grey: ${JSON.stringify(images)} has shape=[${pictures.shape.join(', ')}]. Use the data set idx.`,
  );
}
