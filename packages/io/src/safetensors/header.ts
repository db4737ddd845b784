import type { DType } from '@langevin/tensor';
import { UserError } from '@langevin/tensor';
import { checkBytes, checkObject } from '../given.ts';
import { parseJson } from '../json.ts';
import { describeForeignBytes } from './foreign.ts';
import type { StoredDType } from './stored-dtype.ts';
import { fromStoredDType, isStoredDType, storedBits } from './stored-dtype.ts';

/** The largest header read, in bytes; the reference implementation has the same limit (safetensors, MAX_HEADER_SIZE). */
export const MAX_HEADER_BYTES = 100_000_000;

/** Bytes of the little-endian header length that starts every file. */
export const PREFIX_BYTES = 8;

/** Where one tensor lies in a safetensors file. */
export interface SafetensorsEntry {
  readonly name: string;
  /** The element type as the file spells it. */
  readonly storedDType: StoredDType;
  /** The same as a Langevin dtype, or null when there is none (for example F64): such a tensor cannot be read. */
  readonly dtype: DType | null;
  readonly shape: readonly number[];
  /** From the start of the file, in bytes. */
  readonly offset: number;
  readonly byteLength: number;
}

/** Everything a safetensors file says about itself before its data. */
export interface SafetensorsHeader {
  /** By name, in the order of the data. */
  readonly entries: ReadonlyMap<string, SafetensorsEntry>;
  readonly metadata: Readonly<Record<string, string>>;
  /** Where the data begins, in bytes. */
  readonly dataOffset: number;
}

export interface HeaderOptions {
  /** Size of the whole file in bytes, so that every tensor can be checked to lie inside. */
  readonly fileBytes: number;
  /** How messages name the file. @default 'the file' */
  readonly label?: string;
}

/**
 * Read the length of the JSON header from the first 8 bytes and check it against the size of the file.
 *
 * @throws {UserError} when the file is too short, the length is past its end or above {@link MAX_HEADER_BYTES}
 */
export function parseHeaderLength(bytes: Uint8Array, options: HeaderOptions): number {
  const where = at(options);
  if (options.fileBytes < PREFIX_BYTES || bytes.byteLength < PREFIX_BYTES) {
    throw new UserError(
      `${where} is too short for safetensors: size=${options.fileBytes} bytes, at least ${PREFIX_BYTES + 2} needed. `
        + (foreign(bytes) ?? 'Download or save it again.'),
    );
  }
  const length = new DataView(bytes.buffer, bytes.byteOffset, PREFIX_BYTES).getBigUint64(0, true);
  if (length > BigInt(MAX_HEADER_BYTES)) {
    throw new UserError(
      `${where} declares a header that is too large: headerLength=${length} bytes, limit=${MAX_HEADER_BYTES}. `
        + (foreign(bytes) ?? 'It is damaged or not a safetensors file.'),
    );
  }
  if (Number(length) > options.fileBytes - PREFIX_BYTES) {
    throw new UserError(
      `${where} is truncated inside its header: headerLength=${length} bytes, but only `
        + `${options.fileBytes - PREFIX_BYTES} follow. ${foreign(bytes) ?? 'Download or save it again.'}`,
    );
  }
  return Number(length);
}

/**
 * Parse and check the header of a safetensors file. Every tensor must lie inside the file, have exactly the bytes its
 * shape and dtype need, and together they must cover the data without gap or overlap.
 *
 * @param bytes the start of the file, at least as far as the header reaches
 * @throws {UserError} when anything is out of bounds, contradictory or malformed; the message names the tensor
 * @example
 * import { encodeSafetensors, parseSafetensorsHeader } from '@langevin/io';
 * const bytes = encodeSafetensors({ w: { dtype: 'float32', shape: [2], data: new Float32Array(2) } });
 * parseSafetensorsHeader(bytes, { fileBytes: bytes.byteLength }).entries.get('w')?.shape; // => [2]
 */
export function parseSafetensorsHeader(bytes: Uint8Array, options: HeaderOptions): SafetensorsHeader {
  checkBytes(bytes, '[io/safetensors]');
  checkObject(options, 'options', '[io/safetensors]');
  const where = at(options);
  const length = parseHeaderLength(bytes, options);
  if (bytes.byteLength < PREFIX_BYTES + length) {
    throw new UserError(`${where}: the given bytes=${bytes.byteLength} end before the header, which needs ${PREFIX_BYTES + length}.`);
  }
  const value = parseJson(decodeText(bytes.subarray(PREFIX_BYTES, PREFIX_BYTES + length), where), `${where} header`);
  if (!isRecord(value)) throw new UserError(`${where} header is not a JSON object. It is not a safetensors file.`);

  const dataOffset = PREFIX_BYTES + length;
  const entries: SafetensorsEntry[] = [];
  let metadata: Readonly<Record<string, string>> = {};
  for (const [name, entry] of Object.entries(value)) {
    // Some writers have null for none, which the reference implementation takes as such.
    if (name === '__metadata__') metadata = entry === null ? {} : parseMetadata(entry, where);
    else entries.push(parseEntry(name, entry, { where, dataOffset }));
  }
  // Empty tensors share their offset with a neighbour, so the end decides between equal beginnings.
  entries.sort((a, b) => a.offset - b.offset || a.byteLength - b.byteLength);
  checkCoverage(entries, { where, dataOffset, fileBytes: options.fileBytes });
  return { entries: new Map(entries.map((entry) => [entry.name, entry])), metadata, dataOffset };
}

function at(options: HeaderOptions): string {
  return `[io/safetensors] ${options.label ?? 'the file'}`;
}

function foreign(bytes: Uint8Array): string | null {
  const found = describeForeignBytes(bytes);
  return found === null ? null : `It looks like ${found}`;
}

function decodeText(bytes: Uint8Array, where: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new UserError(`${where} header is not UTF-8 text. It is damaged or not a safetensors file.`, { cause });
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseMetadata(value: unknown, where: string): Readonly<Record<string, string>> {
  if (!isRecord(value)) throw new UserError(`${where}: __metadata__ is not an object. It must map text to text.`);
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== 'string') {
      throw new UserError(`${where}: __metadata__[${JSON.stringify(key)}] is not text. It must map text to text.`);
    }
  }
  return value as Record<string, string>;
}

interface EntryContext {
  readonly where: string;
  readonly dataOffset: number;
}

function parseEntry(name: string, value: unknown, { where, dataOffset }: EntryContext): SafetensorsEntry {
  const tensor = `${where}: tensor ${JSON.stringify(name)}`;
  if (!isRecord(value)) throw new UserError(`${tensor} is not described by an object. The header is damaged.`);
  const { dtype, shape, data_offsets: range } = value;
  if (typeof dtype !== 'string' || !isStoredDType(dtype)) {
    throw new UserError(`${tensor} has an unknown dtype=${shorten(dtype)}. The file is damaged or newer than this reader.`);
  }
  if (!Array.isArray(shape) || !shape.every(isSize)) {
    throw new UserError(`${tensor} has shape=${shorten(shape)}; every dimension must be an integer from 0 to 2^53-1.`);
  }
  if (!Array.isArray(range) || range.length !== 2 || !range.every(isSize)) {
    throw new UserError(`${tensor} has data_offsets=${shorten(range)}; two integers from 0 to 2^53-1 are needed.`);
  }
  const [begin, end] = range as [number, number];
  if (begin > end) throw new UserError(`${tensor} has data_offsets=[${begin}, ${end}], which run backwards. The header is damaged.`);
  const needed = bytesOf(shape, dtype);
  if (needed === null) {
    throw new UserError(
      `${tensor} is impossibly large: shape=[${shape.join(', ')}] of ${dtype} is not a whole number of bytes below 2^53.`,
    );
  }
  if (end - begin !== needed) {
    throw new UserError(
      `${tensor} has the wrong size: shape=[${shape.join(', ')}] of ${dtype} needs ${needed} bytes, data_offsets=[${begin}, `
        + `${end}] hold ${end - begin}. The header is damaged.`,
    );
  }
  return {
    name,
    storedDType: dtype,
    dtype: fromStoredDType(dtype),
    shape: Object.freeze([...shape]),
    offset: dataOffset + begin,
    byteLength: needed,
  };
}

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && !Object.is(value, -0);
}

/** Bytes of a packed array, or null when they are not whole or not a safe integer. */
function bytesOf(shape: readonly number[], dtype: StoredDType): number | null {
  // BigInt, because a product that wraps or rounds could agree with a forged range.
  const bits = shape.reduce((product, size) => product * BigInt(size), 1n) * BigInt(storedBits(dtype));
  const bytes = bits / 8n;
  return bits % 8n !== 0n || bytes > BigInt(Number.MAX_SAFE_INTEGER) ? null : Number(bytes);
}

interface CoverageContext extends EntryContext {
  readonly fileBytes: number;
}

function checkCoverage(entries: readonly SafetensorsEntry[], { where, dataOffset, fileBytes }: CoverageContext): void {
  let end = dataOffset;
  let before = 'the header';
  for (const { name, offset, byteLength } of entries) {
    const tensor = `${where}: tensor ${JSON.stringify(name)}`;
    if (offset + byteLength > fileBytes) {
      throw new UserError(
        `${tensor} reaches past the end of the file: end=${offset + byteLength}, fileSize=${fileBytes}. The file is truncated; `
          + 'download or save it again.',
      );
    }
    if (offset < end) throw new UserError(`${tensor} overlaps ${before}: begin=${offset}, expected=${end}. The header is damaged.`);
    if (offset > end)
      throw new UserError(`${tensor} leaves a gap after ${before}: begin=${offset}, expected=${end}. The header is damaged.`);
    end = offset + byteLength;
    before = `tensor ${JSON.stringify(name)}`;
  }
  if (end !== fileBytes) {
    throw new UserError(`${where} has bytes that belong to no tensor: dataEnd=${end}, fileSize=${fileBytes}. The file is damaged.`);
  }
}

function shorten(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
