import { PackedSplats, utils } from '@sparkjsdev/spark';
import type { Gaussians } from '@langevin/gaussians';
import { SH_C0 } from '@langevin/io/splats';
import type { Pose } from '../files/asset.ts';

type Vector = readonly [number, number, number];

/** Gaussians in Spark's form, 16 bytes each and up to 40 more for colours that depend on the direction. */
export interface Packed {
  readonly splats: PackedSplats;
  readonly encoding: Encoding;
}

interface Encoding {
  readonly rgbMin: number;
  readonly rgbMax: number;
  readonly lnScaleMin: number;
  readonly lnScaleMax: number;
  readonly sh1Max: number;
  readonly sh2Max: number;
  readonly sh3Max: number;
}

/** Rows that are packed before the page gets its turn. */
const ROWS_AT_ONCE = 60_000;

/**
 * Packs Gaussians for Spark. Centres become half floats, so they are measured from `centre`.
 *
 * @returns undefined when somebody has lost interest on the way
 */
export async function pack(gaussians: Gaussians, centre: Vector, wanted: () => boolean): Promise<Packed | undefined> {
  const { count, degree, means, quaternions: q, logScales, opacityLogits, sh } = gaussians;
  const encoding = encodingOf(gaussians);
  const size = utils.computeMaxSplats(Math.max(1, count));
  const packedArray = new Uint32Array(4 * size);
  const [sh1, sh2, sh3] = [
    degree >= 1 ? new Uint32Array(2 * size) : undefined,
    degree >= 2 ? new Uint32Array(4 * size) : undefined,
    degree >= 3 ? new Uint32Array(4 * size) : undefined,
  ];
  const width = 3 * (degree + 1) ** 2;
  for (let i = 0; i < count; i++) {
    if (i % ROWS_AT_ONCE === ROWS_AT_ONCE - 1) {
      await new Promise((resolve) => setTimeout(resolve));
      if (!wanted()) return undefined;
    }
    const row = i * width;
    const length = Math.hypot(q[4 * i]!, q[4 * i + 1]!, q[4 * i + 2]!, q[4 * i + 3]!) || 1;
    utils.setPackedSplat(
      packedArray, i,
      means[3 * i]! - centre[0], means[3 * i + 1]! - centre[1], means[3 * i + 2]! - centre[2],
      Math.exp(logScales[3 * i]!), Math.exp(logScales[3 * i + 1]!), Math.exp(logScales[3 * i + 2]!),
      q[4 * i + 1]! / length, q[4 * i + 2]! / length, q[4 * i + 3]! / length, q[4 * i]! / length,
      1 / (1 + Math.exp(-opacityLogits[i]!)),
      0.5 + SH_C0 * sh[row]!, 0.5 + SH_C0 * sh[row + 1]!, 0.5 + SH_C0 * sh[row + 2]!,
      encoding,
    ); // prettier-ignore
    if (sh1) utils.encodeSh1Rgb(sh1, i, sh.subarray(row + 3, row + 12), encoding);
    if (sh2) utils.encodeSh2Rgb(sh2, i, sh.subarray(row + 12, row + 27), encoding);
    if (sh3) utils.encodeSh3Rgb(sh3, i, sh.subarray(row + 27, row + 48), encoding);
  }
  const extra = { ...(sh1 && { sh1 }), ...(sh2 && { sh2 }), ...(sh3 && { sh3 }) };
  return { encoding, splats: new PackedSplats({ packedArray, numSplats: count, extra, splatEncoding: encoding }) };
}

/** Writes where the Gaussians are now. */
export function repose({ splats, encoding }: Packed, { means, quaternions: q, logScales }: Pose, centre: Vector): void {
  const { packedArray, numSplats } = splats;
  if (packedArray === null) return;
  for (let i = 0; i < numSplats; i++) {
    utils.setPackedSplatCenter(packedArray, i, means[3 * i]! - centre[0], means[3 * i + 1]! - centre[1], means[3 * i + 2]! - centre[2]);
    if (q) {
      const length = Math.hypot(q[4 * i]!, q[4 * i + 1]!, q[4 * i + 2]!, q[4 * i + 3]!) || 1;
      utils.setPackedSplatQuat(packedArray, i, q[4 * i + 1]! / length, q[4 * i + 2]! / length, q[4 * i + 3]! / length, q[4 * i]! / length);
    }
    if (logScales)
      utils.setPackedSplatScales(
        packedArray,
        i,
        Math.exp(logScales[3 * i]!),
        Math.exp(logScales[3 * i + 1]!),
        Math.exp(logScales[3 * i + 2]!),
        encoding,
      );
  }
  splats.needsUpdate = true;
}

/** Ranges of the bytes: as wide as these colours need, within bounds that keep the steps small. */
function encodingOf({ count, degree, sh }: Gaussians): Encoding {
  const width = 3 * (degree + 1) ** 2;
  let least = 0;
  let most = 1;
  const largest = [0, 0, 0, 0];
  for (let i = 0; i < count; i++) {
    for (let k = 0; k < width; k++) {
      const value = sh[i * width + k]!;
      if (k < 3) {
        const color = 0.5 + SH_C0 * value;
        if (color < least) least = color;
        if (color > most) most = color;
      } else {
        const level = k < 12 ? 1 : k < 27 ? 2 : 3;
        if (Math.abs(value) > largest[level]!) largest[level] = Math.abs(value);
      }
    }
  }
  const reach = (level: number): number => Math.min(1, Math.max(0.05, largest[level]!));
  return {
    rgbMin: Math.max(-0.5, least),
    rgbMax: Math.min(1.5, most),
    lnScaleMin: -12,
    lnScaleMax: 9,
    sh1Max: reach(1),
    sh2Max: reach(2),
    sh3Max: reach(3),
  };
}
