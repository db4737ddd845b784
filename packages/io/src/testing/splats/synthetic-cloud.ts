import type { ShDegree, SplatCloud } from '../../splats/cloud.ts';
import { allocateCloud, shCoefficients } from '../../splats/cloud.ts';

export interface SyntheticCloudOptions {
  readonly count: number;
  /** @default 3 */
  readonly degree?: ShDegree;
  readonly seed: number;
  /** Centres lie in [-extent, extent]. @default 4 */
  readonly extent?: number;
}

/**
 * Gaussians drawn evenly from the ranges of trained scenes, the same for the same seed: sizes of 0.0007 to 0.4 units, opacities of 0.007 to
 * 0.993, harmonics within [-1/2, 1/2], quaternions of any direction and length 0.5 to 2.
 */
export function syntheticCloud({ count, degree = 3, seed, extent = 4 }: SyntheticCloudOptions): SplatCloud {
  const random = seededRandom(seed);
  const between = (low: number, high: number): number => low + (high - low) * random();
  const cloud = allocateCloud('a synthetic cloud', count, degree);
  const { means, quaternions, logScales, opacityLogits, sh } = cloud;
  const width = 3 * shCoefficients(degree);
  for (let i = 0; i < 3 * count; i++) {
    means[i] = between(-extent, extent);
    logScales[i] = between(-7.2, -0.9);
  }
  for (let n = 0; n < count; n++) {
    opacityLogits[n] = between(-5, 5);
    // Three angles give a direction in four dimensions, and none is 0.
    const [a, b, c, length] = [between(0, 2 * Math.PI), between(0, 2 * Math.PI), between(0.1, 1.4), between(0.5, 2)];
    quaternions.set(
      [
        length * Math.cos(a) * Math.cos(c),
        length * Math.sin(a) * Math.cos(c),
        length * Math.cos(b) * Math.sin(c),
        length * Math.sin(b) * Math.sin(c),
      ],
      4 * n,
    );
    for (let i = 0; i < 3; i++) sh[n * width + i] = between(-1.7, 1.7);
    for (let i = 3; i < width; i++) sh[n * width + i] = between(-0.5, 0.5);
  }
  return cloud;
}

/** Numbers in [0, 1), the same for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
