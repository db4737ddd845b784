import { readOptions, shownValue, UserError } from '@langevin/tensor';
import { checkObject } from '../given.ts';
import type { HostTensor } from '../host-tensor.ts';
import { bytesOfArray, checkHostTensor } from '../host-tensor.ts';
import { MAX_HEADER_BYTES, PREFIX_BYTES } from './header.ts';
import { storedBits, toStoredDType } from './stored-dtype.ts';
import type { DType } from '@langevin/tensor';

/** A tensor whose bytes are produced when they are written, so that a large one never lies in memory whole. */
export interface StreamedTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Little-endian bytes, in pieces of any size. Called once. */
  readonly stream: () => AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/** Tensors by name. The order does not matter: files are laid out in an order of their own. */
export type TensorsByName<T> = Readonly<Record<string, T>> | ReadonlyMap<string, T>;

export interface EncodeOptions {
  /** Text to keep in the header, for example `{ format: 'pt' }`. @default {} */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** What a file will look like before any tensor is written. */
export interface SafetensorsLayout<T> {
  /** The 8-byte length and the header, padded with spaces to a multiple of 8 so that the data is aligned. */
  readonly head: Uint8Array;
  readonly tensors: readonly { readonly name: string; readonly tensor: T; readonly byteLength: number }[];
  readonly byteLength: number;
}

// Widest elements first keeps every tensor aligned. The order is that of the reference implementation
// (safetensors 0.8, `serialize`: dtypes descending, then names by their bytes), so both write the same file.
const LAYOUT_ORDER: readonly DType[] = ['int64', 'float32', 'int32', 'bfloat16', 'float16', 'uint8', 'bool'];

/**
 * Decide where each tensor goes. The same tensors and metadata always give the same bytes.
 *
 * @throws {UserError} when a name or the metadata cannot be stored, or a shape is not one
 */
export function layoutSafetensors<T extends HostTensor | StreamedTensor>(
  tensors: TensorsByName<T>,
  options: EncodeOptions = {},
): SafetensorsLayout<T> {
  assertLittleEndian();
  checkObject(tensors, 'record of tensors', '[io/safetensors]');
  readOptions('io/safetensors', options);
  const named = entriesOf(tensors).map(([name, tensor]) => {
    checkText(name, 'tensor name');
    if (name === '__metadata__') throw new UserError(`[io/safetensors] tensor name=__metadata__ is reserved. Choose another.`);
    const where = `[io/safetensors] tensor ${JSON.stringify(name)}`;
    checkObject(tensor, 'tensor', where);
    if (!Array.isArray(tensor.shape))
      throw new UserError(`${where} has no shape: shape=${shownValue(tensor.shape)}. Give a list of sizes.`);
    if ('data' in tensor) checkHostTensor(tensor, where);
    return { name, tensor, byteLength: packedBytes(tensor, where) };
  });
  named.sort((a, b) => LAYOUT_ORDER.indexOf(a.tensor.dtype) - LAYOUT_ORDER.indexOf(b.tensor.dtype) || compareUtf8(a.name, b.name));
  let end = 0;
  // Written by hand because an object would move names that look like integers to its front.
  const fields = named.map(({ name, tensor, byteLength }) => {
    const begin = end;
    end += byteLength;
    const description = { dtype: toStoredDType(tensor.dtype), shape: tensor.shape, data_offsets: [begin, end] };
    return `${JSON.stringify(name)}:${JSON.stringify(description)}`;
  });
  const metadata = encodeMetadata(options.metadata ?? {});
  if (metadata !== null) fields.unshift(metadata);
  const head = encodeHead(`{${fields.join(',')}}`);
  return { head, tensors: named, byteLength: head.byteLength + end };
}

/**
 * Encode tensors as the bytes of a safetensors file.
 *
 * @throws {UserError} when data does not fit its dtype or shape, or a name cannot be stored
 * @example
 * import { decodeSafetensors, encodeSafetensors } from '@langevin/io';
 * const bytes = encodeSafetensors({ bias: { dtype: 'float32', shape: [3], data: Float32Array.of(1, 2, 3) } });
 * decodeSafetensors(bytes).tensors.get('bias')?.data; // => Float32Array [1, 2, 3]
 */
export function encodeSafetensors(tensors: TensorsByName<HostTensor>, options: EncodeOptions = {}): Uint8Array<ArrayBuffer> {
  const layout = layoutSafetensors(tensors, options);
  const bytes = new Uint8Array(layout.byteLength);
  bytes.set(layout.head);
  let offset = layout.head.byteLength;
  for (const { tensor, byteLength } of layout.tensors) {
    bytes.set(bytesOfArray(tensor.data), offset);
    offset += byteLength;
  }
  return bytes;
}

export function entriesOf<T>(tensors: TensorsByName<T>): [string, T][] {
  return tensors instanceof Map ? [...(tensors as ReadonlyMap<string, T>)] : Object.entries(tensors as Readonly<Record<string, T>>);
}

function packedBytes({ dtype, shape }: HostTensor | StreamedTensor, where: string): number {
  const bytes = shape.reduce((product, size) => product * size, storedBits(toStoredDType(dtype)) / 8);
  if (shape.every((size) => Number.isSafeInteger(size) && size >= 0) && Number.isSafeInteger(bytes)) return bytes;
  throw new UserError(`${where} has shape=[${shape.join(', ')}], which cannot be stored. Dimensions are integers >= 0.`);
}

function encodeMetadata(metadata: Readonly<Record<string, string>>): string | null {
  const keys = Object.keys(metadata).sort(compareUtf8);
  if (keys.length === 0) return null;
  const fields = keys.map((key) => {
    const text: unknown = metadata[key];
    checkText(key, 'metadata key');
    if (typeof text !== 'string')
      throw new UserError(`[io/safetensors] metadata[${JSON.stringify(key)}]=${String(text)} is not text. Convert it.`);
    checkText(text, 'metadata value');
    return `${JSON.stringify(key)}:${JSON.stringify(text)}`;
  });
  return `"__metadata__":{${fields.join(',')}}`;
}

function encodeHead(json: string): Uint8Array {
  const text = new TextEncoder().encode(json);
  const length = Math.ceil(text.byteLength / 8) * 8;
  if (length > MAX_HEADER_BYTES) {
    throw new UserError(
      `[io/safetensors] the header would be too large: ${length} bytes, limit=${MAX_HEADER_BYTES}. Shorten the metadata or use shards.`,
    );
  }
  const head = new Uint8Array(PREFIX_BYTES + length).fill(0x20);
  new DataView(head.buffer).setBigUint64(0, BigInt(length), true);
  head.set(text, PREFIX_BYTES);
  return head;
}

/** A lone surrogate has no UTF-8 form; it would silently come back as another character. */
function checkText(text: string, what: string): void {
  if (/\p{Surrogate}/u.test(text))
    throw new UserError(`[io/safetensors] ${what}=${JSON.stringify(text)} is not well-formed text. Remove the lone surrogate.`);
}

function compareUtf8(a: string, b: string): number {
  const left = [...a];
  const right = [...b];
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    // Code points order as their UTF-8 bytes do; UTF-16 code units do not.
    const difference = left[i]!.codePointAt(0)! - right[i]!.codePointAt(0)!;
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

function assertLittleEndian(): void {
  if (new Uint8Array(new Uint16Array([1]).buffer)[0] === 1) return;
  throw new UserError('[io/safetensors] this machine is big-endian, safetensors data is little-endian. Use a little-endian machine.');
}
