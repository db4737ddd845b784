/** Into how many buckets distances are put, and from which distance on all are in the last one. */
export interface DistanceBucketOptions {
  readonly buckets: number;
  readonly most: number;
}

/**
 * The bucket of each pair of places, [L, L] row by row, the row being that of the query: half of the buckets are for what is behind. Near
 * ones have a bucket each, farther ones share in steps of the logarithm (Raffel et al. 2020, arXiv:1910.10683, section 2.1). The
 * arithmetic is that of float32, as the borders between buckets depend on it.
 */
export function distanceBuckets(length: number, { buckets, most }: DistanceBucketOptions): Int32Array {
  const half = buckets / 2;
  const exact = half / 2;
  const range = Math.fround(Math.log(most / exact));
  const ofDistance = (distance: number): number => {
    if (distance < exact) return distance;
    const steps = Math.fround(Math.fround(Math.fround(Math.log(Math.fround(distance / exact))) / range) * (half - exact));
    return Math.min(half - 1, exact + Math.trunc(steps));
  };
  const behind = Int32Array.from({ length }, (_, distance) => ofDistance(distance));
  return Int32Array.from({ length: length * length }, (_, i) => {
    const offset = (i % length) - Math.floor(i / length);
    return offset > 0 ? half + behind[offset]! : behind[-offset]!;
  });
}
