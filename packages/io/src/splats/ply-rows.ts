import { UnsupportedError, UserError } from '@langevin/tensor';
import type { ByteSource } from '../safetensors/byte-source.ts';
import { PIECE_BYTES, readExactly, sourcePieces } from './byte-stream.ts';
import type { PlyElement, PlyHeader, PlyProperty, PlyType } from './ply-header.ts';

/** Where the values of a property go: row n to `into[offset + n * stride]`. */
export interface PlyTarget {
  readonly property: PlyProperty;
  readonly into: Float32Array | Float64Array | Uint32Array | Uint8Array;
  readonly offset: number;
  readonly stride: number;
}

/** Targets of each element that is wanted, by its name. */
export type PlyTargets = ReadonlyMap<string, readonly PlyTarget[]>;

/**
 * Check that the elements, up to the last one that is wanted, fit into the file, before anything is allocated for them.
 *
 * @throws {UserError} when the file is too short for its counts
 * @throws {UnsupportedError} when a list property makes rows differ in length
 */
export function checkPlySize(source: ByteSource, header: PlyHeader, wanted: readonly string[]): void {
  const last = Math.max(...wanted.map((name) => header.elements.findIndex((element) => element.name === name)));
  let needed = 0;
  for (const element of header.elements.slice(0, last + 1)) {
    if (element.hasList) {
      throw new UnsupportedError(
        `[io/splats] ${source.label} has a list in PLY element=${JSON.stringify(element.name)}, which Gaussians have no use for `
          + 'and which hides where the next rows begin. Save it without.',
      );
    }
    // In text, a number takes a digit and a separator at least.
    needed += element.count * (header.encoding === 'ascii' ? 2 * element.properties.size : element.stride);
  }
  const present = source.byteLength - header.dataOffset + (header.encoding === 'ascii' ? 1 : 0);
  if (needed <= present) return;
  const counts = header.elements.map((element) => `${element.name}: ${element.count}`).join(', ');
  throw new UserError(
    `[io/splats] ${source.label} is truncated: elements (${counts}) need at least ${needed} bytes of data, ${present} are there. `
      + 'Download or save it again.',
  );
}

/** Read the wanted elements, in one pass over the file. {@link checkPlySize} comes first. */
export async function readPlyRows(source: ByteSource, header: PlyHeader, targets: PlyTargets): Promise<void> {
  if (header.encoding === 'ascii') return readAsciiRows(source, header, targets);
  let offset = header.dataOffset;
  for (const element of header.elements) {
    const wanted = targets.get(element.name);
    if (wanted !== undefined && element.stride > 0)
      await readBinaryRows({
        source,
        offset,
        element,
        targets: wanted,
        order: header.encoding === 'binary_little_endian' ? 'little' : 'big',
      });
    offset += element.count * element.stride;
    if ([...targets.keys()].at(-1) === element.name) return;
  }
}

interface BinaryRows {
  readonly source: ByteSource;
  readonly offset: number;
  readonly element: PlyElement;
  readonly targets: readonly PlyTarget[];
  readonly order: 'little' | 'big';
}

async function readBinaryRows({ source, offset, element, targets, order }: BinaryRows): Promise<void> {
  const { count, stride } = element;
  // Windows that fit the cache: every property walks over all rows of one.
  const rows = Math.max(1, Math.floor(PIECE_BYTES / 4 / stride));
  const aligned =
    order === 'little' && targets.every(({ property }) => property.type === 'float32' && property.offset % 4 === 0) && stride % 4 === 0;
  for (let first = 0; first < count; first += rows) {
    const size = Math.min(rows, count - first);
    const window = await readExactly(source, offset + first * stride, size * stride);
    // A Buffer's slice would share its memory, and stay where it is.
    const bytes = window.byteOffset % 4 === 0 ? window : new Uint8Array(window);
    const floats = aligned ? new Float32Array(bytes.buffer, bytes.byteOffset, (size * stride) / 4) : null;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (const target of targets) {
      let to = target.offset + first * target.stride;
      if (floats !== null) {
        const step = stride / 4;
        for (let row = 0, from = target.property.offset / 4; row < size; row++, from += step, to += target.stride)
          target.into[to] = floats[from]!;
      } else {
        const get = GETTERS[target.property.type];
        for (let row = 0, from = target.property.offset; row < size; row++, from += stride, to += target.stride)
          target.into[to] = get(view, from, order);
      }
    }
  }
}

const GETTERS: Readonly<Record<PlyType, (view: DataView, at: number, order: 'little' | 'big') => number>> = {
  int8: (view, at) => view.getInt8(at),
  uint8: (view, at) => view.getUint8(at),
  int16: (view, at, order) => view.getInt16(at, order === 'little'),
  uint16: (view, at, order) => view.getUint16(at, order === 'little'),
  int32: (view, at, order) => view.getInt32(at, order === 'little'),
  uint32: (view, at, order) => view.getUint32(at, order === 'little'),
  float32: (view, at, order) => view.getFloat32(at, order === 'little'),
  float64: (view, at, order) => view.getFloat64(at, order === 'little'),
};

async function readAsciiRows(source: ByteSource, header: PlyHeader, targets: PlyTargets): Promise<void> {
  const values = asciiNumbers(source, header.dataOffset);
  const last = [...targets.keys()].at(-1);
  for (const element of header.elements) {
    const byColumn = new Map((targets.get(element.name) ?? []).map((target) => [target.property.index, target]));
    // Rows without properties are no text at all, however many the header claims.
    for (let row = 0; element.properties.size > 0 && row < element.count; row++) {
      for (let column = 0; column < element.properties.size; column++) {
        let next = values.now();
        next ??= await values.later();
        const target = byColumn.get(column);
        if (target !== undefined) target.into[target.offset + row * target.stride] = next;
      }
    }
    if (element.name === last) return;
  }
}

const MAX_NUMBER_LENGTH = 64;

/** Numbers between white space: `now` from what is loaded, or null; `later` loads more. */
function asciiNumbers(source: ByteSource, offset: number): { now(): number | null; later(): Promise<number> } {
  const pieces = sourcePieces(source, offset);
  let text = '';
  let at = 0;
  let ended = false;
  const pattern = /[^\s]+/g;
  const now = (): number | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match === null) at = text.length; // only white space is left
    // A number at the end of what is loaded may go on.
    if (match === null || (pattern.lastIndex === text.length && !ended)) return null;
    at = pattern.lastIndex;
    return parseNumber(match[0], source.label);
  };
  const later = async (): Promise<number> => {
    for (;;) {
      const { done, value } = await pieces.next();
      if (text.length - at > MAX_NUMBER_LENGTH && /^\s*\S{64}/.test(text.slice(at)))
        throw new UserError(`[io/splats] ${source.label} has a PLY number of more than ${MAX_NUMBER_LENGTH} characters. It is damaged.`);
      if (done === true) ended = true;
      else
        text =
          text.slice(at)
          + Array.from({ length: Math.ceil(value.length / 8192) }, (_, i) =>
            String.fromCharCode(...value.subarray(8192 * i, 8192 * (i + 1))),
          ).join('');
      if (done !== true) at = 0;
      const number = now();
      if (number !== null) return number;
      if (ended)
        throw new UserError(`[io/splats] ${source.label} is truncated: the text ends before the last number. Download or save it again.`);
    }
  };
  return { now, later };
}

function parseNumber(word: string, label: string): number {
  const number = Number(word);
  if (!Number.isNaN(number) && word.length <= MAX_NUMBER_LENGTH) return number;
  const special = /^([+-]?)(nan|inf|infinity)(\(.*\))?$/i.exec(word);
  if (special !== null) return /^n/i.test(special[2]!) ? Number.NaN : special[1] === '-' ? -Infinity : Infinity;
  throw new UserError(
    `[io/splats] ${label} has a PLY value that is no number: ${JSON.stringify(word.slice(0, MAX_NUMBER_LENGTH))}. It is damaged.`,
  );
}
