import { constants, gunzipSync } from 'node:zlib';
import { UserError } from '@langevin/tensor';
import * as v from 'valibot';
import { bytesOfArray } from '../host-tensor.ts';
import { parseWith } from '../json.ts';
import { readBytes } from '../node/read-json.ts';
import type { DatasetPlugin } from './dataset.ts';
import { defineDataset, MAX_DATASET_BYTES, memoryDataset } from './dataset.ts';
import type { IdxArray } from './idx-format.ts';
import { MAX_IDX_HEADER_BYTES, parseIdx, parseIdxHeader } from './idx-format.ts';

export interface IdxOptions {
  /** An IDX file of unsigned bytes [N, H, W] or [N, C, H, W], plain or gzip, for example `train-images-idx3-ubyte.gz`. */
  readonly images: string;
  /** An IDX file of unsigned bytes [N]. @default none: the images are unlabelled */
  readonly labels?: string;
  /** What the labels stand for. @default '0', '1', ... up to the largest label */
  readonly classes?: readonly string[];
}

const schema = v.strictObject({
  images: v.pipe(v.string(), v.nonEmpty()),
  labels: v.optional(v.pipe(v.string(), v.nonEmpty())),
  classes: v.optional(v.array(v.string())),
});

export const idxDataset: DatasetPlugin<IdxOptions> = defineDataset({
  name: 'idx',
  summary: 'IDX files of bytes, plain or gzip: MNIST, Fashion-MNIST, EMNIST.',
  parse: (options) => parseWith(schema, options, '[io/datasets] idx options'),
  load: async ({ images: imagesPath, labels: labelsPath, classes }) => {
    const images = await readIdx(imagesPath);
    const [count, ...rest] = images.shape;
    if (rest.length < 2)
      throw new UserError(
        `[io/datasets] idx file ${JSON.stringify(imagesPath)} has shape=[${images.shape.join(', ')}]; images are [N, H, W] or [N, `
          + 'C, H, W].',
      );
    const [channels, height, width] = rest.length === 2 ? [1, rest[0]!, rest[1]!] : [rest[0]!, rest[1]!, rest[2]!];
    const imageShape = [channels, height, width] as const;
    if (labelsPath === undefined) {
      if (classes !== undefined) throw new UserError('[io/datasets] idx: classes are given without labels. Name the labels file.');
      return memoryDataset({ name: 'idx', imageShape, images: images.data });
    }
    const labels = await readIdx(labelsPath);
    if (labels.shape.length !== 1 || labels.shape[0] !== count) {
      throw new UserError(
        `[io/datasets] idx: images=${count} but labels have shape=[${labels.shape.join(', ')}]. Use the two files of one split.`,
      );
    }
    const largest = labels.data.reduce((most, label) => Math.max(most, label), 0);
    const names = classes ?? Array.from({ length: largest + 1 }, (_, i) => String(i));
    return memoryDataset({ name: 'idx', imageShape, images: images.data, labels: Int32Array.from(labels.data), classes: names });
  },
});

async function readIdx(path: string): Promise<IdxArray> {
  const options = { label: JSON.stringify(path), maxBytes: MAX_DATASET_BYTES };
  const bytes = await readBytes(path, { maxBytes: MAX_DATASET_BYTES });
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  if (!isGzip) return parseIdx(bytes, options);
  try {
    // Unpack only the header first: it says how much the rest may be, so a gzip bomb is stopped before it grows.
    const start = gunzipSync(bytes.subarray(0, 4096), { finishFlush: constants.Z_SYNC_FLUSH });
    const { fileBytes } = parseIdxHeader(start.subarray(0, MAX_IDX_HEADER_BYTES), options);
    return parseIdx(bytesOfArray(gunzipSync(bytes, { maxOutputLength: fileBytes })), options);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (typeof code !== 'string') throw cause;
    throw new UserError(
      `[io/datasets] idx file ${options.label} cannot be unpacked: ${(cause as Error).message} (${code}). It is truncated or `
        + 'damaged; download it again.',
      { cause },
    );
  }
}
