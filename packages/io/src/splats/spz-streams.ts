import { UserError } from '@langevin/tensor';
import type { ByteSource } from '../safetensors/byte-source.ts';
import { inflateZstd } from '../zstd/inflate.ts';
import type { ByteStream } from './byte-stream.ts';
import { byteStream, readExactly } from './byte-stream.ts';
import type { SpzColumn, SpzLayout } from './spz-layout.ts';
import { columnBytes, SPZ_COLUMNS, spzRowBytes, STREAMS_HEADER_BYTES } from './spz-layout.ts';

/** Bytes of compressed and of plain size, 64 bits each, for every stream. */
const ENTRY_BYTES = 16;

/**
 * The most that a byte of the file may stand for, as in the format's own library, with room for small files: ZSTD itself has no useful
 * bound.
 */
const MAX_RATIO = 1024;
const FREE_BYTES = 1 << 20;

/**
 * Check the table of contents of a version 4 file. The streams, one for each column that is not empty, must have the sizes that the count
 * asks for and end with the file.
 *
 * @returns what opens the stream of a column
 */
export async function openSpzStreams(
  source: ByteSource,
  head: Uint8Array,
  layout: SpzLayout,
): Promise<(column: SpzColumn) => Promise<ByteStream>> {
  const where = `[io/splats] ${source.label}`;
  if (head.byteLength < STREAMS_HEADER_BYTES)
    throw new UserError(
      `${where} is truncated inside its SPZ header: size=${source.byteLength} bytes, ${STREAMS_HEADER_BYTES} needed. Download or `
        + 'save it again.',
    );
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const streamCount = view.getUint8(15);
  const tableOffset = view.getUint32(16, true);
  const columns = SPZ_COLUMNS.filter((column) => layout.count > 0 && columnBytes(column, layout) > 0);
  if (streamCount !== columns.length)
    throw new UserError(
      `${where} has streams=${streamCount}, but its Gaussians of degree=${layout.degree} need ${columns.length}. It is damaged.`,
    );
  const dataOffset = tableOffset + streamCount * ENTRY_BYTES;
  if (tableOffset < STREAMS_HEADER_BYTES || dataOffset > source.byteLength)
    throw new UserError(
      `${where} has its table of streams outside of the file: offset=${tableOffset}, size=${source.byteLength} bytes. It is `
        + 'truncated or damaged.',
    );
  const needed = layout.count * spzRowBytes(layout);
  if (needed > FREE_BYTES + MAX_RATIO * source.byteLength)
    throw new UserError(
      `${where} claims more Gaussians than its size=${source.byteLength} bytes can hold: count=${layout.count} of `
        + `degree=${layout.degree}. It is truncated or damaged.`,
    );

  const table = await readExactly(source, tableOffset, streamCount * ENTRY_BYTES);
  const entries = new DataView(table.buffer, table.byteOffset, table.byteLength);
  const places = new Map<SpzColumn, { readonly offset: number; readonly byteLength: number }>();
  let offset = dataOffset;
  columns.forEach((column, i) => {
    const byteLength = Number(entries.getBigUint64(ENTRY_BYTES * i, true));
    const plain = Number(entries.getBigUint64(ENTRY_BYTES * i + 8, true));
    const expected = layout.count * columnBytes(column, layout);
    if (plain !== expected)
      throw new UserError(
        `${where} has a stream of another size: ${column}=${plain} bytes, expected ${expected} for count=${layout.count}. It is damaged.`,
      );
    places.set(column, { offset, byteLength });
    offset += byteLength;
  });
  if (offset !== source.byteLength)
    throw new UserError(
      `${where} does not end with its streams: end=${offset}, size=${source.byteLength} bytes. It is truncated or damaged.`,
    );

  return async (column) => {
    const place = places.get(column)!;
    const plain = new Uint8Array(layout.count * columnBytes(column, layout));
    inflateZstd(await readExactly(source, place.offset, place.byteLength), plain, source.label);
    return byteStream([plain], source.label);
  };
}
