import { hostView, UnsupportedError, UserError } from '@langevin/tensor';
import type { HostTensor } from '../host-tensor.ts';
import { checkByteSource, type ByteSource } from '../safetensors/byte-source.ts';
import { findEntry } from '../safetensors/reader.ts';
import { decodeBlocks, decodedTypes } from './decode-blocks.ts';
import { parseGgufHeader, type GgufEntry, type GgufHeader, type GgufValue } from './header.ts';

/** An open GGUF file: the header is known, tensors are read when asked for. */
export interface GgufReader {
  readonly label: string;
  readonly entries: ReadonlyMap<string, GgufEntry>;
  readonly notes: ReadonlyMap<string, GgufValue>;
  /**
   * The elements of one tensor: blocks as the float32 numbers that they stand for.
   *
   * @throws UserError when there is no tensor of that name, or the file is shorter by now; UnsupportedError for types that are not read
   */
  read(name: string): Promise<HostTensor>;
  close(): Promise<void>;
}

/** A header with the words of a language model takes some megabytes. */
const FIRST_BYTES = 1024 * 1024;
const MOST_HEADER_BYTES = 256 * 1024 * 1024;

/**
 * Opens a GGUF file that can be read by range: only its header is read.
 *
 * @throws UserError when the file is not well-formed
 */
export async function readGgufSource(source: ByteSource): Promise<GgufReader> {
  checkByteSource(source, '[io/gguf]');
  const { label } = source;
  const { entries, notes } = await readHeader(source);
  return {
    label,
    entries,
    notes,
    read: async (name) => readEntry(source, findEntry(entries, name, label)),
    close: () => source.close(),
  };
}

async function readHeader(source: ByteSource): Promise<GgufHeader> {
  const { byteLength: fileBytes, label } = source;
  for (let length = FIRST_BYTES; ; length *= 4) {
    const bytes = await source.read(0, Math.min(length, fileBytes));
    const header = parseGgufHeader(bytes, { fileBytes, label });
    if (header !== null) return header;
    if (length >= MOST_HEADER_BYTES)
      throw new UserError(`[io/gguf] ${label} has a header that is too large: limit=${MOST_HEADER_BYTES} bytes. It is damaged.`);
  }
}

async function readEntry(source: ByteSource, { name, stored, dtype, shape, offset, byteLength, block }: GgufEntry): Promise<HostTensor> {
  if (dtype === null)
    throw new UnsupportedError(
      `[io/gguf] ${source.label}: tensor ${JSON.stringify(name)} is stored as ${stored}, which is not read (read are F32, F16, BF16, `
        + `${decodedTypes.join(', ')}). Take a file of the model in one of these.`,
    );
  const bytes = await source.read(offset, byteLength);
  if (bytes.byteLength !== byteLength)
    throw new UserError(
      `[io/gguf] ${source.label} ended inside tensor ${JSON.stringify(name)}: wanted=${byteLength} bytes, got=${bytes.byteLength}. `
        + 'It changed after it was opened; open it again.',
    );
  const data = block.plain === undefined ? decodeBlocks(bytes, block) : hostView(block.plain, bytes);
  return { dtype, shape, data } as HostTensor;
}
