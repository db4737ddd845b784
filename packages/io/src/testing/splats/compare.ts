import type { SplatCloud } from '../../splats/cloud.ts';

/** The largest difference of two arrays, which must be equally long and not empty. */
export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length || a.length === 0) throw new Error(`lengths differ or are 0: ${a.length}, ${b.length}`);
  let largest = 0;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs(a[i]! - b[i]!));
  return largest;
}

/** Opacities between 0 and 1. */
export function opacities({ opacityLogits }: Pick<SplatCloud, 'opacityLogits'>): Float64Array {
  return Float64Array.from(opacityLogits, (logit) => 1 / (1 + Math.exp(-logit)));
}

/** Unit quaternions. */
export function rotations({ quaternions }: Pick<SplatCloud, 'quaternions'>): Float64Array {
  const unit = Float64Array.from(quaternions);
  for (let i = 0; i < unit.length; i += 4)
    unit.set(
      unit.subarray(i, i + 4).map((value) => value / Math.hypot(...quaternions.subarray(i, i + 4))),
      i,
    );
  return unit;
}

/** The largest difference of a component of unit quaternions; q and -q are one rotation. */
export function largestTurn(a: Pick<SplatCloud, 'quaternions'>, b: Pick<SplatCloud, 'quaternions'>): number {
  const other = rotations(b);
  const aligned = rotations(a).map((value, i, all) => {
    const at = i - (i % 4);
    const dot = [0, 1, 2, 3].reduce((sum, k) => sum + all[at + k]! * other[at + k]!, 0);
    return dot < 0 ? -value : value;
  });
  return largestDifference(aligned, other);
}

/** Whether two arrays hold the same bytes; fast, where `toEqual` takes minutes. */
export function sameBytes(a: Uint8Array | Float32Array, b: Uint8Array | Float32Array): boolean {
  return Buffer.from(a.buffer, a.byteOffset, a.byteLength).equals(Buffer.from(b.buffer, b.byteOffset, b.byteLength));
}

/** Coefficients `from` to `to` of every Gaussian, with their three channels. */
export function coefficients({ sh, count }: Pick<SplatCloud, 'sh' | 'count'>, from: number, to: number): Float32Array {
  const width = sh.length / count;
  return Float32Array.from(
    { length: count * 3 * (to - from) },
    (_, i) => sh[Math.floor(i / (3 * (to - from))) * width + 3 * from + (i % (3 * (to - from)))]!,
  );
}

/** The rows of a cloud in another order. */
export function reordered(cloud: SplatCloud, rows: ArrayLike<number>): SplatCloud {
  const take = (values: Float32Array): Float32Array => {
    const width = values.length / cloud.count;
    return Float32Array.from({ length: rows.length * width }, (_, i) => values[rows[Math.floor(i / width)]! * width + (i % width)]!);
  };
  const { means, quaternions, logScales, opacityLogits, sh } = cloud;
  return {
    ...cloud,
    count: rows.length,
    means: take(means),
    quaternions: take(quaternions),
    logScales: take(logScales),
    opacityLogits: take(opacityLogits),
    sh: take(sh),
  };
}
