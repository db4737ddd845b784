import { UnsupportedError, UserError } from '@langevin/tensor';
import type { ByteSource } from '../safetensors/byte-source.ts';
import { readExactly } from './byte-stream.ts';

/** The longest header read. Gaussians of degree 3 need 1.5 kB; the rest is room for comments. */
export const MAX_PLY_HEADER_BYTES = 1 << 20;
const MAX_ELEMENTS = 32;
const MAX_PROPERTIES = 1024;
const FIRST_BYTES = 16 * 1024;

/** How numbers are stored. */
export type PlyEncoding = 'ascii' | 'binary_little_endian' | 'binary_big_endian';

/** Number types under both of their names in PLY files. */
const TYPES = {
  char: 'int8',
  int8: 'int8',
  uchar: 'uint8',
  uint8: 'uint8',
  short: 'int16',
  int16: 'int16',
  ushort: 'uint16',
  uint16: 'uint16',
  int: 'int32',
  int32: 'int32',
  uint: 'uint32',
  uint32: 'uint32',
  float: 'float32',
  float32: 'float32',
  double: 'float64',
  float64: 'float64',
} as const;
export type PlyType = (typeof TYPES)[keyof typeof TYPES];
const TYPE_BYTES: Readonly<Record<PlyType, number>> = {
  int8: 1,
  uint8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  float32: 4,
  float64: 8,
};

export interface PlyProperty {
  readonly name: string;
  readonly type: PlyType;
  /** Bytes from the start of the row, in binary files. */
  readonly offset: number;
  /** Place among the properties. */
  readonly index: number;
}

export interface PlyElement {
  readonly name: string;
  readonly count: number;
  readonly properties: ReadonlyMap<string, PlyProperty>;
  /** Bytes of a row, in binary files. */
  readonly stride: number;
  /** Has a list property, so that its rows differ in length. */
  readonly hasList: boolean;
}

export interface PlyHeader {
  readonly encoding: PlyEncoding;
  readonly elements: readonly PlyElement[];
  readonly comments: readonly string[];
  readonly dataOffset: number;
}

/** Read the header, wherever it ends up to {@link MAX_PLY_HEADER_BYTES}. @throws {UserError} when it is malformed */
export async function readPlyHeader(source: ByteSource): Promise<PlyHeader> {
  for (let size = FIRST_BYTES; ; size = MAX_PLY_HEADER_BYTES) {
    const bytes = await readExactly(source, 0, Math.min(size, source.byteLength));
    const end = endOfHeader(bytes);
    if (end !== null) return parsePlyHeader(bytes.subarray(0, end), source.label);
    if (bytes.byteLength === source.byteLength)
      throw new UserError(
        `[io/splats] ${source.label} has a PLY header without end_header in its size=${source.byteLength} bytes. It is truncated `
          + 'or not a PLY file.',
      );
    if (size === MAX_PLY_HEADER_BYTES)
      throw new UserError(
        `[io/splats] ${source.label} has a PLY header longer than limit=${MAX_PLY_HEADER_BYTES} bytes. It is damaged; or remove comments.`,
      );
  }
}

const END = new TextEncoder().encode('end_header');

/** Where the data begins, or null. `end_header` counts only as a line of its own. */
function endOfHeader(bytes: Uint8Array): number | null {
  for (let at = bytes.indexOf(END[0]!); at >= 0; at = bytes.indexOf(END[0]!, at + 1)) {
    if (bytes[at - 1] !== 0x0a || !END.every((byte, i) => bytes[at + i] === byte)) continue;
    const after = at + END.length;
    if (bytes[after] === 0x0a) return after + 1;
    if (bytes[after] === 0x0d && bytes[after + 1] === 0x0a) return after + 2;
  }
  return null;
}

/** Parse the text of a header, from `ply` to the line end after `end_header`. */
export function parsePlyHeader(bytes: Uint8Array, label: string): PlyHeader {
  const where = `[io/splats] ${label}`;
  const lines = new TextDecoder()
    .decode(bytes)
    .split('\n')
    .map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
  if (lines[0] !== 'ply') throw new UserError(`${where} does not begin with the line "ply". It is not a PLY file.`);
  let encoding: PlyEncoding | null = null;
  const elements: ElementDraft[] = [];
  const comments: string[] = [];
  for (const line of lines.slice(1, -2)) {
    const [word = '', ...rest] = line.trim().split(/\s+/);
    if (word === 'comment') comments.push(line.trim().slice('comment'.length).trim());
    else if (word === 'format') encoding = parseFormat(rest, where);
    else if (word === 'element') elements.push(parseElement(rest, elements, where));
    else if (word === 'property') addProperty(elements.at(-1), rest, where);
    else if (word !== '' && word !== 'obj_info')
      throw new UserError(`${where} has a PLY header line that means nothing: ${quote(line)}. It is damaged.`);
  }
  if (encoding === null) throw new UserError(`${where} has a PLY header without a format line. It is damaged.`);
  return { encoding, elements, comments, dataOffset: bytes.byteLength };
}

interface ElementDraft extends PlyElement {
  readonly properties: Map<string, PlyProperty>;
  stride: number;
  hasList: boolean;
}

function parseFormat([encoding, version]: readonly string[], where: string): PlyEncoding {
  if (version !== '1.0') throw new UnsupportedError(`${where} has PLY version=${quote(version ?? '')}, only 1.0 exists. It is damaged.`);
  if (encoding === 'ascii' || encoding === 'binary_little_endian' || encoding === 'binary_big_endian') return encoding;
  throw new UserError(`${where} has an unknown PLY format=${quote(encoding ?? '')}. It is damaged.`);
}

function parseElement([name = '', count = '']: readonly string[], others: readonly PlyElement[], where: string): ElementDraft {
  if (others.length === MAX_ELEMENTS) throw new UserError(`${where} has more than ${MAX_ELEMENTS} PLY elements. It is damaged.`);
  if (others.some((other) => other.name === name)) throw new UserError(`${where} has the PLY element=${quote(name)} twice. It is damaged.`);
  if (!/^\d{1,15}$/.test(count))
    throw new UserError(`${where} has a PLY element=${quote(name)} with count=${quote(count)}, which is no number. It is damaged.`);
  return { name, count: Number(count), properties: new Map(), stride: 0, hasList: false };
}

function addProperty(element: ElementDraft | undefined, words: readonly string[], where: string): void {
  if (element === undefined) throw new UserError(`${where} has a PLY property before any element. It is damaged.`);
  const [word = '', name = ''] = words[0] === 'list' ? [words[1], words[3]] : words;
  if (!Object.hasOwn(TYPES, word) || name === '')
    throw new UserError(
      `${where} has a PLY property that is not "type name": ${quote(words.join(' '))} of element=${quote(element.name)}. It is damaged.`,
    );
  if (element.properties.has(name))
    throw new UserError(`${where} has the PLY property=${quote(name)} twice in element=${quote(element.name)}. It is damaged.`);
  if (element.properties.size === MAX_PROPERTIES)
    throw new UserError(`${where} has more than ${MAX_PROPERTIES} PLY properties in element=${quote(element.name)}. It is damaged.`);
  if (words[0] === 'list') element.hasList = true;
  const type = TYPES[word as keyof typeof TYPES];
  element.properties.set(name, { name, type, offset: element.stride, index: element.properties.size });
  element.stride += TYPE_BYTES[type];
}

function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}...` : text);
}
