import type { Camera } from '@langevin/core';
import type { Gaussians } from '../gaussians.ts';

/** The zeroth spherical harmonic. */
const C0 = 0.28209479177387814;

/** Pixels of a side of {@link STRAIGHT}'s picture. */
export const SIDE = 9;

/** Looks along z from the origin; the axis meets the middle of the pixel (4, 4). */
export const STRAIGHT: Camera = {
  width: SIDE,
  height: SIDE,
  fx: 20,
  fy: 20,
  cx: 4.5,
  cy: 4.5,
  worldToCamera: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0],
};

export interface Ball {
  readonly mean: readonly number[];
  readonly deviation: number;
  readonly opacity: number;
  readonly rgb: readonly number[];
}

/** One Gaussian that is as wide in all directions. */
export function ball({ mean, deviation, opacity, rgb }: Ball): Gaussians<Float64Array> {
  return {
    count: 1,
    degree: 0,
    means: Float64Array.from(mean),
    quaternions: Float64Array.of(0.5, 0.5, -0.5, 0.5),
    logScales: new Float64Array(3).fill(Math.log(deviation)),
    opacityLogits: Float64Array.of(Math.log(opacity / (1 - opacity))),
    sh: Float64Array.from(rgb, (value) => (value - 0.5) / C0),
  };
}
