import { UnsupportedError, UserError } from '@langevin/tensor';
import type { ByteSource } from '../../safetensors/byte-source.ts';
import type { ByteStream } from '../byte-stream.ts';
import { byteStream, readExactly, sourcePieces } from '../byte-stream.ts';
import type { ShDegree, SplatCloud } from '../cloud.ts';
import { allocateCloud } from '../cloud.ts';
import { finishCloud } from '../finish.ts';
import { defineSplatFormat, type SplatFormat } from '../format.ts';
import { gunzip, gzip, MAX_DEFLATE_RATIO } from '../gzip.ts';
import type { ReadRequest } from '../options.ts';
import { spzDecoders } from '../spz-decode.ts';
import { encodeSpz } from '../spz-encode.ts';
import type { SpzColumn, SpzLayout, SpzVersion } from '../spz-layout.ts';
import {
  columnBytes,
  FLAG_ANTIALIASED,
  FLAG_EXTENSIONS,
  LEGACY_HEADER_BYTES,
  SPZ_COLUMNS,
  SPZ_MAGIC,
  spzRowBytes,
  STREAMS_HEADER_BYTES,
} from '../spz-layout.ts';
import { openSpzStreams } from '../spz-streams.ts';

/**
 * SPZ of Niantic: columns of small integers, gzipped whole (versions 1 to 3, plain data of them too) or a ZSTD stream for each (4). Written
 * is 3. Axes are right, up, back in the file and those of PLY in the cloud.
 */
export const spzFormat: SplatFormat = defineSplatFormat({
  name: 'spz',
  extensions: ['.spz'],
  keeps:
    'centres to 2^-13 of a unit, opacity and colours in 8 bits, scales to 3 %, rotations to 0.001, spherical harmonics in 4 to 5 '
    + 'bits; the antialiased flag',
  loses: 'scales outside e^-10 to e^5.9, harmonics outside [-1, 1), colours far outside [0, 1]',
  bytesPerGaussian: (degree) => spzRowBytes({ version: 3, degree }),
  // A gzip header, whose method is deflate and whose upper flags are 0: two bytes alone may begin a .splat.
  matches: (head) => (head[0] === 0x1f && head[1] === 0x8b && head[2] === 8 && (head[3]! & 0xe0) === 0) || hasMagic(head),
  read: readSpz,
  encode: (cloud, options) => gzip(encodeSpz(cloud, options)),
});

/** After the data may come extensions, which are not read. More than this is no extension. */
const MAX_TAIL_BYTES = 1 << 20;

async function readSpz(request: ReadRequest): Promise<SplatCloud> {
  const { source } = request;
  const head = await readExactly(source, 0, Math.min(STREAMS_HEADER_BYTES, source.byteLength));
  if (hasMagic(head) && versionOf(head) === 4) return readStreams(request, head);
  const raw = hasMagic(head);
  const stream = byteStream(raw ? sourcePieces(source) : gunzip(sourcePieces(source), source.label), source.label);
  try {
    return await readLegacy(request, stream, source.byteLength * (raw ? 1 : MAX_DEFLATE_RATIO));
  } finally {
    await stream.close();
  }
}

/** @param mostBytes what the file can hold at most, after decompression */
async function readLegacy(request: ReadRequest, stream: ByteStream, mostBytes: number): Promise<SplatCloud> {
  const { label } = request.source;
  const header = new Uint8Array(await stream.take(LEGACY_HEADER_BYTES));
  if (!hasMagic(header))
    throw new UserError(`[io/splats] ${label} is gzip data without the SPZ magic number. It is another kind of file: decompress it first.`);
  const layout = parseLayout(header, label);
  checkCount(layout, mostBytes - LEGACY_HEADER_BYTES, request.source);
  const cloud = allocateCloud(label, layout.count, layout.degree);
  await decodeColumns(cloud, layout, () => Promise.resolve(stream));
  const rest = await stream.countRest(MAX_TAIL_BYTES);
  if (rest > 0 && (layout.flags & FLAG_EXTENSIONS) === 0)
    throw new UserError(
      `[io/splats] ${label} goes on after its count=${layout.count} Gaussians of degree=${layout.degree}. It is damaged.`,
    );
  if (rest > MAX_TAIL_BYTES)
    throw new UserError(`[io/splats] ${label} has SPZ extensions of more than limit=${MAX_TAIL_BYTES} bytes. It is damaged.`);
  return finishSpz(cloud, layout, request);
}

async function readStreams(request: ReadRequest, head: Uint8Array): Promise<SplatCloud> {
  const { source } = request;
  const layout = parseLayout(head, source.label);
  const streams = await openSpzStreams(source, head, layout);
  const cloud = allocateCloud(source.label, layout.count, layout.degree);
  await decodeColumns(cloud, layout, streams);
  return finishSpz(cloud, layout, request);
}

function finishSpz(cloud: SplatCloud, layout: SpzLayout, request: ReadRequest): SplatCloud {
  const metadata = { format: 'spz', ...((layout.flags & FLAG_ANTIALIASED) === 0 ? {} : { antialiased: true }) };
  // From integers come finite numbers and quaternions of length 1 or more; only version 1 has floating-point numbers, of 16 bits.
  return layout.version > 1 ? { ...cloud, metadata } : finishCloud(cloud, request, metadata);
}

const ROWS_PER_WINDOW = 4096;

async function decodeColumns(cloud: SplatCloud, layout: SpzLayout, open: (column: SpzColumn) => Promise<ByteStream>): Promise<void> {
  const decoders = spzDecoders(cloud, layout);
  for (const column of SPZ_COLUMNS) {
    const width = columnBytes(column, layout);
    if (width === 0 || cloud.count === 0) continue;
    const stream = await open(column);
    for (let first = 0; first < cloud.count; first += ROWS_PER_WINDOW) {
      decoders[column](await stream.take(width * Math.min(ROWS_PER_WINDOW, cloud.count - first)), first);
    }
  }
}

function hasMagic(head: Uint8Array): boolean {
  return head.byteLength >= LEGACY_HEADER_BYTES && viewOf(head).getUint32(0, true) === SPZ_MAGIC;
}

function versionOf(head: Uint8Array): number {
  return viewOf(head).getUint32(4, true);
}

/** The fields that both headers share. */
function parseLayout(head: Uint8Array, label: string): SpzLayout {
  const version = versionOf(head);
  const [degree = 0, fractionalBits = 0, flags = 0] = head.subarray(12, 15);
  if (version < 1 || version > 4)
    throw new UnsupportedError(`[io/splats] ${label} has SPZ version=${version}, known are 1 to 4. Save it in one of them.`);
  if (degree === 4) throw new UnsupportedError(`[io/splats] ${label} has spherical harmonics of degree=4. Save it with degree 3 at most.`);
  if (degree > 4)
    throw new UserError(`[io/splats] ${label} has a degree of spherical harmonics that does not exist: degree=${degree}. It is damaged.`);
  if (fractionalBits > 30)
    throw new UserError(`[io/splats] ${label} has coordinates with fractionalBits=${fractionalBits} of 24. It is damaged.`);
  return { version: version as SpzVersion, count: viewOf(head).getUint32(8, true), degree: degree as ShDegree, fractionalBits, flags };
}

/** The count is believed only as far as the file can hold it. */
function checkCount(layout: SpzLayout, mostBytes: number, source: ByteSource): void {
  const needed = layout.count * spzRowBytes(layout);
  if (needed <= mostBytes) return;
  throw new UserError(
    `[io/splats] ${source.label} claims more Gaussians than its size=${source.byteLength} bytes can hold: count=${layout.count} of `
      + `degree=${layout.degree}. It is truncated or damaged.`,
  );
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
