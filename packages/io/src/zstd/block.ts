import { BackwardBits, Damage } from './bits.ts';
import type { FseTable, HuffmanTable } from './entropy.ts';
import { buildFse, decodeHuffman, readFse, readHuffman, singleSymbol } from './entropy.ts';

/** The most that a block regenerates (RFC 8878, 3.1.1.2.4). */
export const MAX_BLOCK_BYTES = 128 * 1024;

/** What blocks of a frame pass on. */
export interface FrameState {
  huffman: HuffmanTable | null;
  /** Of literal lengths, offsets and match lengths. */
  tables: [FseTable | null, FseTable | null, FseTable | null];
  /** The last three offsets. */
  offsets: [number, number, number];
  /** Where the frame begins in the output: no match reaches before it. */
  readonly start: number;
}

/** Codes of lengths: baseline and number of extra bits (RFC 8878, tables 15 and 16). */
const LITERAL_LENGTHS = codes(16, 0, [1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
const MATCH_LENGTHS = codes(32, 3, [1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
const MAX_OFFSET_CODE = 31;

/** `plain` codes for single values from `first` on, then ranges of 2^extra values. */
function codes(
  plain: number,
  first: number,
  extra: readonly number[],
): { readonly base: readonly number[]; readonly bits: readonly number[] } {
  const bits = [...Array.from({ length: plain }, () => 0), ...extra];
  let next = first;
  const base = bits.map((width) => {
    const start = next;
    next += 2 ** width;
    return start;
  });
  return { base, bits };
}

/** Literal lengths, offsets, match lengths: symbols, largest table, and the table that needs no description (RFC 8878, 3.1.1.3.2.2). */
const KINDS = [
  {
    symbols: 36,
    maxLog: 9,
    fixed: buildFse([4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1], 6),
  },
  {
    symbols: 32,
    maxLog: 8,
    fixed: buildFse([1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1], 5),
  },
  {
    symbols: 53,
    maxLog: 9,
    fixed: buildFse([1, 4, 3, 2, 2, 2, 2, 2, 2, ...Array.from({ length: 37 }, () => 1), -1, -1, -1, -1, -1, -1, -1], 6),
  },
] as const;

/** Decompress a block into `out` at `at`; returns where it ends. Never writes past `out` or more than a block may. */
export function inflateBlock(block: Uint8Array, state: FrameState, { out, at }: { readonly out: Uint8Array; readonly at: number }): number {
  const { literals, byteLength } = readLiterals(block, state);
  let rest = block.subarray(byteLength);
  const [count, countBytes] = sequenceCount(rest);
  rest = rest.subarray(countBytes);
  const limit = Math.min(out.length, at + MAX_BLOCK_BYTES);
  if (count === 0) {
    if (rest.length > 0) throw new Damage('has bytes after its literals');
    return append(literals, { out, at, limit });
  }
  const modes = rest[0];
  if (modes === undefined || (modes & 3) !== 0) throw new Damage('has unknown sequence modes');
  rest = rest.subarray(1);
  KINDS.forEach((kind, i) => {
    const mode = (modes >> (6 - 2 * i)) & 3;
    if (mode === 0) state.tables[i] = kind.fixed;
    else if (mode === 1) {
      const symbol = rest[0];
      if (symbol === undefined || symbol >= kind.symbols) throw new Damage('has an unknown sequence code');
      state.tables[i] = singleSymbol(symbol);
      rest = rest.subarray(1);
    } else if (mode === 2) {
      const read = readFse(rest, kind);
      state.tables[i] = read.table;
      rest = rest.subarray(read.byteLength);
    }
  });
  return runSequences({ bits: new BackwardBits(rest), count, literals, state, out, at, limit });
}

function sequenceCount(bytes: Uint8Array): [count: number, byteLength: number] {
  const [a = -1, b = -1, c = -1] = bytes;
  if (a < 0 || (a >= 128 && b < 0) || (a === 255 && c < 0)) throw new Damage('ends before its sequences');
  if (a < 128) return [a, 1];
  return a < 255 ? [((a - 128) << 8) + b, 2] : [b + (c << 8) + 0x7f00, 3];
}

interface Sequences {
  readonly bits: BackwardBits;
  readonly count: number;
  readonly literals: Uint8Array;
  readonly state: FrameState;
  readonly out: Uint8Array;
  readonly at: number;
  readonly limit: number;
}

function runSequences({ bits, count, literals, state, out, at, limit }: Sequences): number {
  const [lengths, distances, matches] = state.tables;
  if (lengths === null || distances === null || matches === null) throw new Damage('repeats a table that it does not have');
  let length = bits.read(lengths.log);
  let distance = bits.read(distances.log);
  let match = bits.read(matches.log);
  let used = 0;
  let end = at;
  for (let i = 0; i < count; i++) {
    const distanceCode = distances.symbols[distance]!;
    const lengthCode = lengths.symbols[length]!;
    const matchCode = matches.symbols[match]!;
    if (distanceCode > MAX_OFFSET_CODE) throw new Damage('has an impossible distance');
    const value = 2 ** distanceCode + bits.read(distanceCode);
    const matchLength = MATCH_LENGTHS.base[matchCode]! + bits.read(MATCH_LENGTHS.bits[matchCode]!);
    const literalLength = LITERAL_LENGTHS.base[lengthCode]! + bits.read(LITERAL_LENGTHS.bits[lengthCode]!);
    if (bits.left < 0) throw new Damage('has fewer bits than its sequences need');
    if (i + 1 < count) {
      length = lengths.base[length]! + bits.read(lengths.bits[length]!);
      match = matches.base[match]! + bits.read(matches.bits[match]!);
      distance = distances.base[distance]! + bits.read(distances.bits[distance]!);
    }
    if (literalLength > literals.length - used) throw new Damage('needs more literals than it has');
    end = append(literals.subarray(used, used + literalLength), { out, at: end, limit });
    used += literalLength;
    end = copyBack(out, {
      end,
      distance: takeOffset(state, { value, literals: literalLength }),
      length: matchLength,
      start: state.start,
      limit,
    });
  }
  if (bits.left !== 0) throw new Damage('has bits after its sequences');
  return append(literals.subarray(used), { out, at: end, limit });
}

/** The distance that a value stands for: 1 to 3 are recent ones (RFC 8878, 3.1.1.5). */
function takeOffset({ offsets }: FrameState, { value, literals }: { readonly value: number; readonly literals: number }): number {
  if (value > 3) {
    offsets.unshift(value - 3);
    offsets.pop();
    return value - 3;
  }
  const index = value - 1 + (literals === 0 ? 1 : 0);
  const distance = index === 3 ? offsets[0] - 1 : offsets[index]!;
  if (index > 0) {
    offsets.splice(Math.min(index, 2), 1);
    offsets.unshift(distance);
  }
  return distance;
}

interface Match {
  readonly end: number;
  readonly distance: number;
  readonly length: number;
  readonly start: number;
  readonly limit: number;
}

function copyBack(out: Uint8Array, { end, distance, length, start, limit }: Match): number {
  if (distance < 1 || distance > end - start) throw new Damage('refers to data before its beginning');
  if (length > limit - end) throw new Damage('holds more than it declares');
  if (distance >= length) out.copyWithin(end, end - distance, end - distance + length);
  // The match overlaps what it writes: bytes repeat.
  else for (let i = end; i < end + length; i++) out[i] = out[i - distance]!;
  return end + length;
}

/** Writes bytes at a place that must not go beyond `limit`; returns where they end. */
function append(bytes: Uint8Array, { out, at, limit }: { readonly out: Uint8Array; readonly at: number; readonly limit: number }): number {
  if (bytes.length > limit - at) throw new Damage('holds more than it declares');
  out.set(bytes, at);
  return at + bytes.length;
}

/** The literals section (RFC 8878, 3.1.1.3.1). */
function readLiterals(block: Uint8Array, state: FrameState): { readonly literals: Uint8Array; readonly byteLength: number } {
  const [a, b = 0, c = 0, d = 0, e = 0] = block;
  if (a === undefined) throw new Damage('has an empty block');
  const type = a & 3;
  const format = (a >> 2) & 3;
  if (type < 2) {
    const [size, head] = (format & 1) === 0 ? [a >> 3, 1] : format === 1 ? [(a >> 4) | (b << 4), 2] : [(a >> 4) | (b << 4) | (c << 12), 3];
    const stored = type === 0 ? size : 1;
    if (size > MAX_BLOCK_BYTES || head + stored > block.length) throw new Damage('ends inside its literals');
    const bytes = block.subarray(head, head + stored);
    return { literals: type === 0 ? bytes : new Uint8Array(size).fill(bytes[0]!), byteLength: head + stored };
  }
  const [size, compressed, head] =
    format < 2
      ? [(a >> 4) | ((b & 63) << 4), (b >> 6) | (c << 2), 3]
      : format === 2
        ? [(a >> 4) | (b << 4) | ((c & 3) << 12), (c >> 2) | (d << 6), 4]
        : [(a >> 4) | (b << 4) | ((c & 63) << 12), (c >> 6) | (d << 2) | (e << 10), 5];
  if (size > MAX_BLOCK_BYTES || head + compressed > block.length) throw new Damage('ends inside its literals');
  let streams = block.subarray(head, head + compressed);
  if (type === 2) {
    const read = readHuffman(streams);
    state.huffman = read.table;
    streams = streams.subarray(read.byteLength);
  }
  if (state.huffman === null) throw new Damage('repeats a Huffman table that it does not have');
  const literals = new Uint8Array(size);
  if (format === 0) decodeHuffman(streams, state.huffman, literals);
  else decodeFour(streams, state.huffman, literals);
  return { literals, byteLength: head + compressed };
}

/** Four streams, of which the first three have equal shares of the literals; six bytes tell where they end. */
function decodeFour(streams: Uint8Array, table: HuffmanTable, literals: Uint8Array): void {
  if (streams.length < 10) throw new Damage('ends inside its literals');
  const share = (literals.length + 3) >> 2;
  let begin = 6;
  for (let i = 0; i < 4; i++) {
    const end = i === 3 ? streams.length : begin + (streams[2 * i]! | (streams[2 * i + 1]! << 8));
    if (end > streams.length || 3 * share > literals.length) throw new Damage('ends inside its literals');
    decodeHuffman(streams.subarray(begin, end), table, literals.subarray(i * share, i === 3 ? literals.length : (i + 1) * share));
    begin = end;
  }
}
