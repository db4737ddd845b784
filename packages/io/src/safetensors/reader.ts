import type { DType } from '@langevin/tensor';
import { hostView, UnsupportedError, UserError } from '@langevin/tensor';
import type { HostTensor } from '../host-tensor.ts';
import { checkByteSource, type ByteSource } from './byte-source.ts';
import type { SafetensorsEntry, SafetensorsHeader } from './header.ts';
import { parseHeaderLength, parseSafetensorsHeader, PREFIX_BYTES } from './header.ts';

/** An open safetensors file, or several that an index joins: the header is known, tensors are read when asked for. */
export interface SafetensorsReader {
  /** How messages name it. */
  readonly label: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** By name, in the order of the data. */
  readonly entries: ReadonlyMap<string, SafetensorsEntry>;
  /**
   * Read one tensor.
   *
   * @throws {UserError} when there is no tensor of that name, or the file has changed since it was opened
   * @throws {UnsupportedError} when Langevin has no dtype for its elements
   */
  read(name: string): Promise<HostTensor>;
  /**
   * The bytes of one tensor as the file has them, whatever its dtype.
   *
   * @throws {UserError} when there is no tensor of that name, or the file has changed since it was opened
   */
  readStored(name: string): Promise<Uint8Array>;
  close(): Promise<void>;
}

/**
 * Open a safetensors file that can be read by range: only its header is loaded.
 *
 * @throws {UserError} when the file is not well-formed; see {@link parseSafetensorsHeader}
 * @example
 * import { blobSource, encodeSafetensors, readSafetensorsSource } from '@langevin/io';
 * const bytes = encodeSafetensors({ w: { dtype: 'float32', shape: [2], data: Float32Array.of(1, 2) } });
 * const reader = await readSafetensorsSource(blobSource(new Blob([bytes])));
 * (await reader.read('w')).data; // => Float32Array [1, 2]
 */
export async function readSafetensorsSource(source: ByteSource): Promise<SafetensorsReader> {
  const header = await readSafetensorsHeader(source);
  return {
    label: source.label,
    metadata: header.metadata,
    entries: header.entries,
    read: async (name) => readEntry(source, findEntry(header.entries, name, source.label)),
    readStored: async (name) => readStored(source, findEntry(header.entries, name, source.label)),
    close: () => source.close(),
  };
}

/** Read and check the header alone; two small reads, whatever the size of the file. */
export async function readSafetensorsHeader(source: ByteSource): Promise<SafetensorsHeader> {
  checkByteSource(source, '[io/safetensors]');
  const options = { fileBytes: source.byteLength, label: source.label };
  // The extra bytes let the message say what a file that is not safetensors looks like.
  const start = await source.read(0, Math.min(PREFIX_BYTES + 64, source.byteLength));
  const length = parseHeaderLength(start, options);
  return parseSafetensorsHeader(await source.read(0, PREFIX_BYTES + length), options);
}

/** @throws {UserError} listing the nearest names when there is no such tensor */
export function findEntry<Entry>(entries: ReadonlyMap<string, Entry>, name: string, label: string): Entry {
  const entry = entries.get(name);
  if (entry !== undefined) return entry;
  const last = name.split('.').at(-1) ?? name;
  const names = [...entries.keys()];
  const near = names
    .filter((known) => known.endsWith(last))
    .concat(names)
    .slice(0, 3);
  throw new UserError(
    `[io/safetensors] ${label} has no tensor ${JSON.stringify(name)} among its ${entries.size}`
      + `${near.length > 0 ? ` (for example ${near.join(', ')})` : ''}. Check the name, or that the file belongs to this model.`,
  );
}

/** The dtype of a tensor. @throws {UnsupportedError} when Langevin has none for its elements */
export function supportedDType(entry: SafetensorsEntry, label: string): DType {
  if (entry.dtype !== null) return entry.dtype;
  throw new UnsupportedError(
    `[io/safetensors] ${label}: tensor ${JSON.stringify(entry.name)} has dtype=${entry.storedDType}, which Langevin does not hold `
      + `(it holds F32, F16, BF16, I32, I64, U8, BOOL). Convert it to one of these before saving.`,
  );
}

async function readEntry(source: ByteSource, entry: SafetensorsEntry): Promise<HostTensor> {
  const dtype = supportedDType(entry, source.label);
  return { dtype, shape: entry.shape, data: hostView(dtype, await readStored(source, entry)) } as HostTensor;
}

async function readStored(source: ByteSource, entry: SafetensorsEntry): Promise<Uint8Array> {
  const bytes = await source.read(entry.offset, entry.byteLength);
  if (bytes.byteLength !== entry.byteLength) {
    throw new UserError(
      `[io/safetensors] ${source.label} ended inside tensor ${JSON.stringify(entry.name)}: wanted=${entry.byteLength} bytes, `
        + `got=${bytes.byteLength}. It changed after it was opened; open it again.`,
    );
  }
  return bytes;
}
