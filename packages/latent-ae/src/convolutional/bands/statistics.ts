import type { Planes } from '../../tiling/planes.ts';

/** Mean and sum of squared distances from it, of each group of channels over part of a picture. */
export interface GroupMoments {
  readonly count: number;
  readonly means: Float64Array;
  readonly squares: Float64Array;
}

/** What a group norm does to each channel of a whole picture. */
export interface ChannelStatistics {
  readonly means: Float32Array<ArrayBuffer>;
  readonly inverseDeviations: Float32Array<ArrayBuffer>;
}

/** Moments of two parts together (Chan, Golub and LeVeque 1979, eq. 2.1): exact, whatever the mean is. */
export function merged(a: GroupMoments | undefined, b: GroupMoments): GroupMoments {
  if (a === undefined) return b;
  const count = a.count + b.count;
  const distances = b.means.map((mean, g) => mean - a.means[g]!);
  return {
    count,
    means: a.means.map((mean, g) => mean + (distances[g]! * b.count) / count),
    squares: a.squares.map((sum, g) => sum + b.squares[g]! + (distances[g]! ** 2 * a.count * b.count) / count),
  };
}

/** A number for each channel from one for each group. */
export function ofChannels(
  { count, means, squares }: GroupMoments,
  { channels, epsilon }: { readonly channels: number; readonly epsilon: number },
): ChannelStatistics {
  const size = channels / means.length;
  const spread = (of: (group: number) => number) => Float32Array.from({ length: channels }, (_, c) => of(Math.floor(c / size)));
  return {
    means: spread((g) => means[g]!),
    inverseDeviations: spread((g) => 1 / Math.sqrt(squares[g]! / count + epsilon)),
  };
}

/** Features of one picture on the host, with the moments of the groups that the next norm wants. */
export interface FeatureMap extends Planes {
  readonly moments: GroupMoments;
}
