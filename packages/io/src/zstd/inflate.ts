import { UserError } from '@langevin/tensor';
import { Damage } from './bits.ts';
import type { FrameState } from './block.ts';
import { inflateBlock, MAX_BLOCK_BYTES } from './block.ts';

const MAGIC = 0xfd2fb528;

/**
 * Decompress Zstandard frames (RFC 8878) whose size is known: `out` is filled exactly. Unlike decoders made for data that one trusts, every
 * length is checked before it is used: work and memory are bounded by the sizes of `input` and `out`. Dictionaries are not supported;
 * checksums are skipped.
 *
 * @param label how messages name the data
 * @throws {UserError} when the data is damaged or does not fill `out`
 */
export function inflateZstd(input: Uint8Array, out: Uint8Array, label: string): void {
  try {
    let at = 0;
    let end = 0;
    while (at < input.length) [at, end] = inflateFrame(input, at, { out, end });
    if (end !== out.length) throw new Damage(`holds ${end} bytes where ${out.length} belong`);
  } catch (cause) {
    if (!(cause instanceof Damage)) throw cause;
    throw new UserError(`[io/splats] ${label} is damaged: its ZSTD data ${cause.message}. Download or save it again.`, { cause });
  }
}

/** One frame from `start` of the input, written behind `end` of the output; returns where both go on. */
function inflateFrame(input: Uint8Array, start: number, to: { readonly out: Uint8Array; readonly end: number }): [at: number, end: number] {
  const { out } = to;
  let { end } = to;
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
  if (start + 8 > input.length) throw new Damage('ends inside a frame header');
  const magic = view.getUint32(start, true);
  if (magic >>> 4 === 0x184d2a5) return [start + 8 + view.getUint32(start + 4, true), end]; // a frame to be skipped
  if (magic !== MAGIC) throw new Damage('lacks its magic number');

  const flags = input[start + 4]!;
  const single = (flags & 32) !== 0;
  if ((flags & 8) !== 0) throw new Damage('uses a reserved flag');
  const dictionaryBytes = [0, 1, 2, 4][flags & 3]!;
  const sizeBytes = [single ? 1 : 0, 2, 4, 8][flags >> 6]!;
  let at = start + 5 + (single ? 0 : 1) + dictionaryBytes;
  if (at + sizeBytes > input.length) throw new Damage('ends inside a frame header');
  if (input.subarray(at - dictionaryBytes, at).some((byte) => byte !== 0)) throw new Damage('needs a dictionary');
  if (sizeBytes > 0 && frameSize(view, at, sizeBytes) > out.length - end) throw new Damage('holds more than it declares');
  at += sizeBytes;

  const state: FrameState = { huffman: null, tables: [null, null, null], offsets: [1, 4, 8], start: end };
  for (let last = false; !last;) {
    if (at + 3 > input.length) throw new Damage('ends between blocks');
    const head = input[at]! | (input[at + 1]! << 8) | (input[at + 2]! << 16);
    at += 3;
    last = (head & 1) === 1;
    const type = (head >> 1) & 3;
    const size = head >> 3;
    const stored = type === 1 ? 1 : size;
    if (size > MAX_BLOCK_BYTES || at + stored > input.length) throw new Damage('ends inside a block');
    if (type === 3) throw new Damage('has a block of a reserved type');
    if (type < 2 && size > out.length - end) throw new Damage('holds more than it declares');
    if (type === 0) out.set(input.subarray(at, at + size), end);
    else if (type === 1) out.fill(input[at]!, end, end + size);
    end = type === 2 ? inflateBlock(input.subarray(at, at + size), state, { out, at: end }) : end + size;
    at += stored;
  }
  return [at + ((flags & 4) === 0 ? 0 : 4), end];
}

function frameSize(view: DataView, at: number, bytes: number): number {
  if (bytes === 1) return view.getUint8(at);
  if (bytes === 2) return view.getUint16(at, true) + 256;
  return bytes === 4 ? view.getUint32(at, true) : Number(view.getBigUint64(at, true));
}
