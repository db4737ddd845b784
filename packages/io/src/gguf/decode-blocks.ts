import { fromFloat16Bits, InternalError } from '@langevin/tensor';

/** Writes the numbers of one block, which begins at byte `at`, from element `to` on. */
type DecodeBlock = (bytes: Uint8Array, at: number, out: { readonly values: Float32Array; readonly to: number }) => void;

const half = (bytes: Uint8Array, at: number): number => fromFloat16Bits(bytes[at]! | (bytes[at + 1]! << 8));
const signed = (byte: number): number => (byte << 24) >> 24;

/** Blocks of 32: the first 16 elements are the low halves of 16 bytes, the others the high ones. */
function nibbles(
  first: number,
  { minimum, fifth }: { readonly minimum: 'none' | 'stored'; readonly fifth: 'none' | 'stored' },
): DecodeBlock {
  const header = minimum === 'stored' ? 4 : 2;
  return (bytes, at, { values, to }) => {
    const scale = half(bytes, at);
    // -0 leaves every number as it is, zeros of either sign too.
    const least = minimum === 'stored' ? half(bytes, at + 2) : -0;
    const high = at + header;
    const quants = high + (fifth === 'stored' ? 4 : 0);
    const bit = (i: number): number => (fifth === 'stored' ? ((bytes[high + (i >> 3)]! >> (i & 7)) & 1) << 4 : 0);
    for (let i = 0; i < 16; i++) {
      const byte = bytes[quants + i]!;
      values[to + i] = (((byte & 15) | bit(i)) + first) * scale + least;
      values[to + i + 16] = (((byte >> 4) | bit(i + 16)) + first) * scale + least;
    }
  };
}

const q8: DecodeBlock = (bytes, at, { values, to }) => {
  const scale = half(bytes, at);
  for (let i = 0; i < 32; i++) values[to + i] = signed(bytes[at + 2 + i]!) * scale;
};

const q2k: DecodeBlock = (bytes, at, { values, to }) => {
  const [scale, least] = [half(bytes, at + 80), half(bytes, at + 82)];
  for (let i = 0; i < 256; i++) {
    const own = bytes[at + (i >> 4)]!;
    const quant = (bytes[at + 16 + ((i >> 7) << 5) + (i & 31)]! >> (((i >> 5) & 3) * 2)) & 3;
    values[to + i] = scale * (own & 15) * quant - least * (own >> 4);
  }
};

const q3k: DecodeBlock = (bytes, at, { values, to }) => {
  const scale = half(bytes, at + 108);
  for (let i = 0; i < 256; i++) {
    const group = i >> 4;
    // Scales of 6 bits: the low 4 in 8 bytes, the high 2 in the 4 bytes after them.
    const low = group < 8 ? bytes[at + 96 + group]! & 15 : bytes[at + 88 + group]! >> 4;
    const high = (bytes[at + 104 + (group & 3)]! >> ((group >> 2) * 2)) & 3;
    const quant = (bytes[at + 32 + ((i >> 7) << 5) + (i & 31)]! >> (((i >> 5) & 3) * 2)) & 3;
    const lifted = (bytes[at + (i & 31)]! >> (i >> 5)) & 1;
    values[to + i] = scale * ((low | (high << 4)) - 32) * (quant - (lifted ? 0 : 4));
  }
};

/** The scale and minimum of one of the eight groups of 32 in Q4_K and Q5_K: 6 bits each, in 12 bytes. */
function scaleAndLeast(bytes: Uint8Array, at: number, group: number): readonly [number, number] {
  if (group < 4) return [bytes[at + group]! & 63, bytes[at + group + 4]! & 63];
  const shared = bytes[at + group + 4]!;
  return [(shared & 15) | ((bytes[at + group - 4]! >> 6) << 4), (shared >> 4) | ((bytes[at + group]! >> 6) << 4)];
}

function q45k(fifth: 'none' | 'stored'): DecodeBlock {
  const quants = fifth === 'stored' ? 48 : 16;
  return (bytes, at, { values, to }) => {
    const [scale, least] = [half(bytes, at), half(bytes, at + 2)];
    for (let group = 0; group < 8; group++) {
      const [s, m] = scaleAndLeast(bytes, at + 4, group);
      for (let i = 0; i < 32; i++) {
        const byte = bytes[at + quants + (group >> 1) * 32 + i]!;
        const top = fifth === 'stored' ? ((bytes[at + 16 + i]! >> group) & 1) << 4 : 0;
        values[to + group * 32 + i] = scale * s * ((group & 1 ? byte >> 4 : byte & 15) | top) - least * m;
      }
    }
  };
}

const q6k: DecodeBlock = (bytes, at, { values, to }) => {
  const scale = half(bytes, at + 208);
  for (let i = 0; i < 256; i++) {
    const [part, quarter, l] = [i >> 7, (i >> 5) & 3, i & 31];
    const low = bytes[at + part * 64 + (quarter & 1) * 32 + l]!;
    const high = (bytes[at + 128 + part * 32 + l]! >> (quarter * 2)) & 3;
    const own = signed(bytes[at + 192 + (i >> 4)]!);
    values[to + i] = scale * own * (((quarter < 2 ? low & 15 : low >> 4) | (high << 4)) - 32);
  }
};

/** Of each type that is read: elements and bytes of a block are in `block-types.ts`, the layouts are ggml's (`ggml-quants.c`). */
const DECODERS: Readonly<Record<string, DecodeBlock>> = {
  Q4_0: nibbles(-8, { minimum: 'none', fifth: 'none' }),
  Q4_1: nibbles(0, { minimum: 'stored', fifth: 'none' }),
  Q5_0: nibbles(-16, { minimum: 'none', fifth: 'stored' }),
  Q5_1: nibbles(0, { minimum: 'stored', fifth: 'stored' }),
  Q8_0: q8,
  Q2_K: q2k,
  Q3_K: q3k,
  Q4_K: q45k('none'),
  Q5_K: q45k('stored'),
  Q6_K: q6k,
};

/** The names of types whose blocks are read. */
export const decodedTypes: readonly string[] = Object.freeze(Object.keys(DECODERS));

/** The numbers that blocks of a type stand for. `bytes` are whole blocks. */
export function decodeBlocks(
  bytes: Uint8Array,
  { name, elements, bytes: size }: { readonly name: string; readonly elements: number; readonly bytes: number },
): Float32Array {
  const decode = DECODERS[name];
  if (decode === undefined) throw new InternalError(`[io/gguf] no decoder: type=${name}.`);
  const count = bytes.length / size;
  const values = new Float32Array(count * elements);
  for (let i = 0; i < count; i++) decode(bytes, i * size, { values, to: i * elements });
  return values;
}
