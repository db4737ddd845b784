import { UserError, type DType } from '@langevin/tensor';
import { blockTypes, type BlockType } from './block-types.ts';
import { decodedTypes } from './decode-blocks.ts';
import { GgufCursor } from './cursor.ts';

/** Where one tensor lies in a GGUF file. */
export interface GgufEntry {
  readonly name: string;
  /** The type of its blocks as ggml calls it: `Q4_K`. */
  readonly stored: string;
  /** What its elements are read as; null for types that are not read. */
  readonly dtype: DType | null;
  /** Outermost axis first, as everywhere here; files have it the other way round. */
  readonly shape: readonly number[];
  /** From the start of the file, in bytes. */
  readonly offset: number;
  readonly byteLength: number;
  readonly block: BlockType;
}

/** A value of a file's notes; lists are kept up to some thousand entries. */
export type GgufValue = number | bigint | boolean | string | readonly (number | bigint | boolean | string)[];

/** What a GGUF file says about itself before its data. */
export interface GgufHeader {
  readonly entries: ReadonlyMap<string, GgufEntry>;
  readonly notes: ReadonlyMap<string, GgufValue>;
}

/** ggml has tensors of up to 4 axes; programs that store more note the shape beside them. */
const MOST_AXES = 8;
const MOST_TENSORS = 1_000_000;
const MOST_NOTES = 100_000;
/** Name, number of axes, one axis, type, offset: no tensor is described in fewer bytes. */
const LEAST_TENSOR_BYTES = 8 + 4 + 4 + 8;
const LEAST_NOTE_BYTES = 8 + 4 + 1;
const VERSIONS = [2, 3] as const;

/** Where programs note the shape of a tensor that ggml stores with fewer axes. */
const NOTED_SHAPE = 'comfy.gguf.orig_shape.';

/**
 * The header of a GGUF file, versions 2 and 3 (the specification is `docs/gguf.md` of ggml). Every tensor lies inside of the file, has the
 * bytes that its shape and type need, and overlaps no other.
 *
 * @param bytes the start of the file
 * @returns null when the header goes on beyond these bytes
 * @throws UserError when anything is out of bounds, contradictory or malformed
 */
export function parseGgufHeader(
  bytes: Uint8Array,
  { fileBytes, label }: { readonly fileBytes: number; readonly label: string },
): GgufHeader | null {
  const where = `[io/gguf] ${label}`;
  const cursor = new GgufCursor(bytes, { where, fileBytes });
  try {
    return parse(cursor, { where, fileBytes });
  } catch (error) {
    if (error === GgufCursor.beyond) return null;
    throw error;
  }
}

function parse(cursor: GgufCursor, { where, fileBytes }: { readonly where: string; readonly fileBytes: number }): GgufHeader {
  if (cursor.text(4) !== 'GGUF') throw new UserError(`${where} is no GGUF file: it does not begin with "GGUF". Name another file.`);
  const version = cursor.uint32();
  if (!VERSIONS.some((known) => known === version))
    throw new UserError(
      `${where} has a version of GGUF that is not read: version=${version}, read are ${VERSIONS.join(' and ')}. Convert it anew.`,
    );
  const tensors = cursor.count('tensors', { most: MOST_TENSORS, each: LEAST_TENSOR_BYTES });
  const noted = cursor.count('notes', { most: MOST_NOTES, each: LEAST_NOTE_BYTES });
  const notes = new Map<string, GgufValue>();
  for (let i = 0; i < noted; i++) {
    const key = cursor.string();
    notes.set(key, cursor.value());
  }
  const found = Array.from({ length: tensors }, () => readEntry(cursor, { where, notes }));
  const alignment = notes.get('general.alignment') ?? 32;
  if (typeof alignment !== 'number' || alignment < 1 || alignment > 65_536 || (alignment & (alignment - 1)) !== 0)
    throw new UserError(`${where} has an alignment that is none: general.alignment=${String(alignment)}. It is damaged.`);
  const dataOffset = Math.ceil(cursor.at / alignment) * alignment;
  const entries = new Map<string, GgufEntry>();
  for (const { offset, ...entry } of found) {
    if (offset % alignment !== 0)
      throw new UserError(`${where}: tensor ${JSON.stringify(entry.name)} is not aligned: offset=${offset}. It is damaged.`);
    if (entries.has(entry.name))
      throw new UserError(`${where} has two tensors of one name: name=${JSON.stringify(entry.name)}. It is damaged.`);
    entries.set(entry.name, { ...entry, offset: dataOffset + offset });
  }
  checkPlaces([...entries.values()], { where, fileBytes });
  return { entries, notes };
}

function readEntry(
  cursor: GgufCursor,
  { where, notes }: { readonly where: string; readonly notes: ReadonlyMap<string, GgufValue> },
): GgufEntry {
  const name = cursor.string();
  const tensor = `${where}: tensor ${JSON.stringify(name.slice(0, 80))}`;
  const axes = cursor.uint32();
  if (axes > MOST_AXES) throw new UserError(`${tensor} has too many axes: axes=${axes}, at most ${MOST_AXES}. It is damaged.`);
  const sizes = Array.from({ length: axes }, () => cursor.size(`${tensor} has a size`));
  const type = cursor.uint32();
  const block = blockTypes.get(type);
  if (block === undefined)
    throw new UserError(`${tensor} has an unknown type: type=${type}. The file is damaged or newer than this reader.`);
  const offset = cursor.size(`${tensor} has an offset`);
  const count = sizes.reduce((product, size) => product * BigInt(size), 1n);
  const bytes = (count / BigInt(block.elements)) * BigInt(block.bytes);
  if (bytes > BigInt(Number.MAX_SAFE_INTEGER))
    throw new UserError(`${tensor} is impossibly large: sizes=[${sizes.join(', ')}]. It is damaged.`);
  const row = sizes[0] ?? 1;
  if (row % block.elements !== 0)
    throw new UserError(
      `${tensor} has rows that are no whole blocks: row=${row}, ${block.name} has ${block.elements} in a block. It is damaged.`,
    );
  const dtype = block.plain ?? (decodedTypes.includes(block.name) ? 'float32' : null);
  const shape = notedShape(notes.get(NOTED_SHAPE + name), count) ?? sizes.reverse();
  return { name, stored: block.name, dtype, shape: Object.freeze(shape), offset, byteLength: Number(bytes), block };
}

/** A shape that is noted, where it has as many elements. */
function notedShape(noted: GgufValue | undefined, count: bigint): number[] | undefined {
  if (!Array.isArray(noted) || noted.length > MOST_AXES) return undefined;
  const sizes = (noted as readonly unknown[]).map(Number);
  if (!sizes.every((size) => Number.isSafeInteger(size) && size >= 0)) return undefined;
  return sizes.reduce((product, size) => product * BigInt(size), 1n) === count ? sizes : undefined;
}

function checkPlaces(entries: readonly GgufEntry[], { where, fileBytes }: { readonly where: string; readonly fileBytes: number }): void {
  let end = 0;
  for (const { name, offset, byteLength } of [...entries].sort((a, b) => a.offset - b.offset || a.byteLength - b.byteLength)) {
    const tensor = `${where}: tensor ${JSON.stringify(name.slice(0, 80))}`;
    if (offset + byteLength > fileBytes)
      throw new UserError(
        `${tensor} reaches past the end of the file: end=${offset + byteLength}, fileSize=${fileBytes}. Download it again.`,
      );
    if (offset < end) throw new UserError(`${tensor} overlaps another: begin=${offset}, end of that=${end}. The file is damaged.`);
    end = offset + byteLength;
  }
}
