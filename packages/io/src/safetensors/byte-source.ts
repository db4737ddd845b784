import { shownValue, UserError } from '@langevin/tensor';
import { checkBytes } from '../given.ts';

/** Anything that can be read by range: a file, a `Blob`, bytes in memory, a URL that answers range requests. */
export interface ByteSource {
  /** How messages name it, for example its path. */
  readonly label: string;
  readonly byteLength: number;
  /** Exactly `length` bytes from `offset`, or fewer only when the source has shrunk. The range lies inside the source. */
  read(offset: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** Throws a UserError unless the value can be read by range. `where` is "[package/part]". */
export function checkByteSource(source: unknown, where: string): asserts source is ByteSource {
  const { byteLength, read } = (source ?? {}) as Partial<ByteSource>;
  if (typeof read === 'function' && Number.isSafeInteger(byteLength) && byteLength! >= 0) return;
  throw new UserError(`${where} there is nothing to read: source=${shownValue(source)}. Pass bytes, a Blob, or what bytesSource() gives.`);
}

/** Bytes in memory; reads are views, nothing is copied. */
export function bytesSource(bytes: Uint8Array, label = 'the given bytes'): ByteSource {
  checkBytes(bytes, '[io/read]');
  return {
    label,
    byteLength: bytes.byteLength,
    read: (offset, length) => Promise.resolve(bytes.subarray(offset, offset + length)),
    close: () => Promise.resolve(),
  };
}

/** A `Blob` or `File`, for example one chosen by the user of a web page; only what is read is loaded. */
export function blobSource(blob: Blob, label = 'the given file'): ByteSource {
  if (!(blob instanceof Blob)) throw new UserError(`[io/read] this is no Blob: blob=${shownValue(blob)}. Pass a File or Blob.`);
  return {
    label,
    byteLength: blob.size,
    read: async (offset, length) => new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer()),
    close: () => Promise.resolve(),
  };
}
