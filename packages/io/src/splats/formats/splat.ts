import { UserError } from '@langevin/tensor';
import { PIECE_BYTES, readExactly } from '../byte-stream.ts';
import type { SplatCloud } from '../cloud.ts';
import { allocateCloud, SH_C0, shCoefficients } from '../cloud.ts';
import { finishCloud, MIN_LOG_SCALE } from '../finish.ts';
import { defineSplatFormat, type SplatFormat } from '../format.ts';
import type { ReadRequest } from '../options.ts';
import { byteOfLogit, LOGITS, toByte } from '../quantized.ts';

const RECORD_BYTES = 32;

/**
 * The `.splat` of antimatter15's viewer: records of 32 bytes and nothing else. float32 x, y, z; float32 scales; bytes R, G, B, A; bytes of
 * the unit quaternion (w, x, y, z), 128 + 128 q.
 */
export const splatFormat: SplatFormat = defineSplatFormat({
  name: 'splat',
  extensions: ['.splat'],
  keeps: 'centres and scales in float32; colour seen from everywhere, opacity and rotation in 8 bits each',
  loses: 'spherical harmonics above degree 0, colours outside [0, 1], the order (sorted by importance)',
  bytesPerGaussian: () => RECORD_BYTES,
  known: 'looks right',
  matches: looksLikeRecords,
  read: readSplat,
  encode: encodeSplat,
});

/** Larger numbers are taken for those of another kind of file. */
const FARTHEST = 1e12;

/** There is no magic number: the size must fit, and the first records must be numbers that a record can hold. */
function looksLikeRecords(head: Uint8Array, byteLength: number): boolean {
  if (byteLength === 0 || byteLength % RECORD_BYTES !== 0) return false;
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  for (let at = 0; at + RECORD_BYTES <= Math.min(head.byteLength, 8 * RECORD_BYTES); at += RECORD_BYTES) {
    for (let i = 0; i < 6; i++) {
      const value = view.getFloat32(at + 4 * i, true);
      if (!(Math.abs(value) < FARTHEST) || (i > 2 && value < 0)) return false;
    }
  }
  return true;
}

async function readSplat(request: ReadRequest): Promise<SplatCloud> {
  const { source } = request;
  if (source.byteLength % RECORD_BYTES !== 0)
    throw new UserError(
      `[io/splats] ${source.label} is truncated or not a .splat file: size=${source.byteLength} bytes is no multiple of `
        + `${RECORD_BYTES}. Download or save it again.`,
    );
  const count = source.byteLength / RECORD_BYTES;
  const cloud = allocateCloud(source.label, count, 0);
  const rows = PIECE_BYTES / RECORD_BYTES;
  for (let first = 0; first < count; first += rows) {
    const size = Math.min(rows, count - first);
    decodeRecords(await readExactly(source, first * RECORD_BYTES, size * RECORD_BYTES), cloud, first);
  }
  return finishCloud(cloud, request, { format: 'splat' });
}

function decodeRecords(bytes: Uint8Array, cloud: SplatCloud, first: number): void {
  const { means, logScales, sh, opacityLogits, quaternions } = cloud;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0, n = first; at < bytes.byteLength; at += RECORD_BYTES, n++) {
    for (let i = 0; i < 3; i++) {
      means[3 * n + i] = view.getFloat32(at + 4 * i, true);
      const scale = view.getFloat32(at + 12 + 4 * i, true);
      // Flat Gaussians have a scale of 0; a negative one becomes NaN, and is refused.
      logScales[3 * n + i] = scale >= 0 ? Math.max(MIN_LOG_SCALE, Math.log(scale)) : Number.NaN;
      sh[3 * n + i] = (bytes[at + 24 + i]! / 255 - 0.5) / SH_C0;
    }
    opacityLogits[n] = LOGITS[bytes[at + 27]!]!;
    for (let i = 0; i < 4; i++) quaternions[4 * n + i] = (bytes[at + 28 + i]! - 128) / 128;
  }
}

const ROWS_PER_PIECE = 32_768;

function* encodeSplat(cloud: SplatCloud): Generator<Uint8Array, void> {
  if (cloud.count === 0)
    throw new UserError(
      '[io/splats] a .splat of no Gaussians is an empty file, which nobody can tell from another one: count=0. Write PLY.',
    );
  const order = byImportance(cloud);
  for (let first = 0; first < cloud.count; first += ROWS_PER_PIECE)
    yield encodeRecords(cloud, order.subarray(first, first + ROWS_PER_PIECE));
}

/** Rows from the largest opacity times volume down, so that a viewer that loads slowly shows what matters first. */
export function byImportance({ count, logScales, opacityLogits }: SplatCloud): Uint32Array {
  const keys = new Float64Array(count);
  for (let n = 0; n < count; n++) {
    // The logarithm of it orders alike and does not overflow: log sigmoid(x) = -log(1 + exp(-x)).
    const x = opacityLogits[n]!;
    const logOpacity = x > -30 ? -Math.log1p(Math.exp(-x)) : x;
    keys[n] = logScales[3 * n]! + logScales[3 * n + 1]! + logScales[3 * n + 2]! + logOpacity;
  }
  return Uint32Array.from({ length: count }, (_, n) => n).sort((a, b) => keys[b]! - keys[a]! || a - b);
}

function encodeRecords(cloud: SplatCloud, rows: Uint32Array): Uint8Array {
  const { means, logScales, sh, opacityLogits, quaternions } = cloud;
  const bytes = new Uint8Array(rows.length * RECORD_BYTES);
  const view = new DataView(bytes.buffer);
  const shStride = 3 * shCoefficients(cloud.degree);
  rows.forEach((n, row) => {
    const at = row * RECORD_BYTES;
    for (let i = 0; i < 3; i++) {
      const scale = Math.fround(Math.exp(logScales[3 * n + i]!));
      for (const [name, value] of [
        ['means', means[3 * n + i]!],
        ['scales', scale],
      ] as const)
        if (!(Math.abs(value) < FARTHEST))
          throw new UserError(
            `[io/splats] a number is too large for .splat, which is known by its small ones: ${name}[${n}][${i}]=${value}, `
              + `limit=${FARTHEST}. Remove this Gaussian or write PLY.`,
          );
      view.setFloat32(at + 4 * i, means[3 * n + i]!, true);
      view.setFloat32(at + 12 + 4 * i, scale, true);
      bytes[at + 24 + i] = toByte(255 * (0.5 + SH_C0 * sh[n * shStride + i]!));
    }
    bytes[at + 27] = byteOfLogit(opacityLogits[n]!);
    const norm = Math.hypot(...quaternions.subarray(4 * n, 4 * n + 4));
    for (let i = 0; i < 4; i++) bytes[at + 28 + i] = toByte(128 + 128 * (quaternions[4 * n + i]! / norm));
  });
  return bytes;
}
