import { UserError } from '@langevin/tensor';
import type { ByteSource } from '../safetensors/byte-source.ts';

/** How much of a source is read at a time. */
export const PIECE_BYTES = 1 << 20;

/** Bytes that come in pieces, taken in exact amounts. */
export interface ByteStream {
  /** Exactly `length` bytes, valid until the next call. @throws {UserError} when the stream ends before */
  take(length: number): Promise<Uint8Array>;
  /** The number of bytes that follow, counted no further than `limit` + 1. */
  countRest(limit: number): Promise<number>;
  close(): Promise<void>;
}

/** A stream over pieces. @param label how messages name it */
export function byteStream(pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>, label: string): ByteStream {
  const iterator = Symbol.asyncIterator in pieces ? pieces[Symbol.asyncIterator]() : pieces[Symbol.iterator]();
  let piece: Uint8Array = new Uint8Array(0);
  let taken = 0;
  let scratch = new Uint8Array(0);

  const next = async (): Promise<boolean> => {
    const { done, value } = await iterator.next();
    if (done === true) return false;
    piece = value;
    return true;
  };

  return {
    async take(length) {
      taken += length;
      if (piece.byteLength >= length) {
        const head = piece.subarray(0, length);
        piece = piece.subarray(length);
        return head;
      }
      if (scratch.byteLength < length) scratch = new Uint8Array(length);
      let filled = 0;
      while (filled < length) {
        if (piece.byteLength === 0 && !(await next())) {
          throw new UserError(
            `[io/splats] ${label} is truncated: it ends after ${taken - length + filled} bytes of data, ${taken} needed. Download `
              + 'or save it again.',
          );
        }
        const part = piece.subarray(0, length - filled);
        scratch.set(part, filled);
        filled += part.byteLength;
        piece = piece.subarray(part.byteLength);
      }
      return scratch.subarray(0, length);
    },
    async countRest(limit) {
      let rest = piece.byteLength;
      while (rest <= limit && (await next())) rest += piece.byteLength;
      return rest;
    },
    async close() {
      await iterator.return?.();
    },
  };
}

/** A source from `offset` on, in pieces. */
export async function* sourcePieces(source: ByteSource, offset = 0, end = source.byteLength): AsyncGenerator<Uint8Array, void> {
  for (let at = offset; at < end; at += PIECE_BYTES) yield await readExactly(source, at, Math.min(PIECE_BYTES, end - at));
}

/** A range that lies inside the source. @throws {UserError} when the source has shrunk meanwhile */
export async function readExactly(source: ByteSource, offset: number, length: number): Promise<Uint8Array> {
  const bytes = await source.read(offset, length);
  if (bytes.byteLength === length) return bytes;
  throw new UserError(
    `[io/splats] ${source.label} ended while it was read: offset=${offset}, wanted=${length} bytes, got=${bytes.byteLength}. Do `
      + 'not change it meanwhile.',
  );
}
