import { constants, gunzipSync } from 'node:zlib';
import { UserError } from '@langevin/tensor';
import { bytesOfArray } from '../../host-tensor.ts';
import { fromPlanar, type Image } from '../../images/image.ts';
import { readBytes } from '../read-json.ts';
import { MAX_IDX_HEADER_BYTES, parseIdx, parseIdxHeader, type IdxArray } from './idx-format.ts';
import { checksumOf } from '../../checksum.ts';

/** A larger file is not loaded whole. */
const MAX_IDX_BYTES = 8 * 2 ** 30;

/** Pictures of one form in memory. */
export interface IdxPictures {
  readonly count: number;
  readonly shape: readonly [channels: 1 | 3, height: number, width: number];
  /** uint8 [N, C, H, W] */
  readonly data: Uint8Array;
  /** uint8 [N]; undefined when the pictures are not labelled. */
  readonly labels: Uint8Array | undefined;
}

/**
 * Pictures of an IDX file of unsigned bytes [N, H, W] or [N, C, H, W], plain or gzip, with the labels of another.
 *
 * @throws UserError when a file is damaged or no such file, or there are not as many labels as pictures
 */
export async function readIdxPictures({
  images,
  labels,
}: {
  readonly images: string;
  readonly labels?: string | undefined;
}): Promise<IdxPictures> {
  const { shape, data } = await readIdx(images);
  const [count = 0, ...rest] = shape;
  const [channels, height, width] = rest.length === 2 ? [1, ...rest] : rest;
  if (rest.length < 2 || (channels !== 1 && channels !== 3) || count === 0 || height === 0 || width === 0)
    throw new UserError(
      `[io/data] idx file ${JSON.stringify(images)} has shape=[${shape.join(', ')}]; pictures are [N, H, W], or [N, C, H, W] with 1 or `
        + '3 channels. Name the file of the pictures.',
    );
  const pictures = { count, shape: [channels, height!, width!] as const, data };
  if (labels === undefined) return { ...pictures, labels };
  const classes = await readIdx(labels);
  if (classes.shape.length !== 1 || classes.shape[0] !== count)
    throw new UserError(
      `[io/data] idx: images=${count} but labels have shape=[${classes.shape.join(', ')}]. Use the two files of one split.`,
    );
  return { ...pictures, labels: classes.data };
}

/** One of the pictures. */
export function idxPicture({ shape, data }: IdxPictures, i: number): Image {
  const size = shape[0] * shape[1] * shape[2];
  return fromPlanar(data.subarray(i * size, (i + 1) * size), shape);
}

/** A checksum of one of the pictures. */
export function idxContent({ shape, data }: IdxPictures, i: number): string {
  const size = shape[0] * shape[1] * shape[2];
  return checksumOf([], new Map([['pixels', { dtype: 'uint8', shape, data: data.subarray(i * size, (i + 1) * size) } as const]]));
}

async function readIdx(path: string): Promise<IdxArray> {
  const options = { label: JSON.stringify(path), maxBytes: MAX_IDX_BYTES };
  const bytes = await readBytes(path, { maxBytes: MAX_IDX_BYTES });
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
      `[io/data] idx file ${options.label} cannot be unpacked: ${(cause as Error).message} (${code}). It is truncated or `
        + 'damaged; download it again.',
      { cause },
    );
  }
}
