import { shownValue, UserError } from '@langevin/tensor';
import type { SplatCloud } from './cloud.ts';
import { checkCloud, shCoefficients } from './cloud.ts';

/** Factors +1 or -1 of the x, y and z axes. */
export type AxisSigns = readonly [x: 1 | -1, y: 1 | -1, z: 1 | -1];

/** From x right, y down, z forward (PLY, COLMAP, OpenCV) to x right, y up, z back (SPZ, three.js, OpenGL), and back. */
export const DOWN_FORWARD_TO_UP_BACK: AxisSigns = [1, -1, -1];

/** Which of x, y, z each real spherical harmonic changes its sign with, degrees 0 to 3, by its polynomial: xy, yz, 3zz - 1, ... */
const ODD_IN: readonly (readonly [boolean, boolean, boolean])[] = [
  '',
  'y',
  'z',
  'x',
  'xy',
  'yz',
  '',
  'xz',
  '',
  'y',
  'xyz',
  'y',
  'z',
  'x',
  'z',
  'x',
].map((letters) => [letters.includes('x'), letters.includes('y'), letters.includes('z')] as const);

/** The sign of every coefficient after axes are turned round: Y(S d) = sign * Y(d). */
export function shSigns(signs: AxisSigns): readonly (1 | -1)[] {
  return ODD_IN.map((odd) =>
    signs.reduce<1 | -1>((product, sign, axis) => ((odd[axis] === true && sign === -1) !== (product === -1) ? -1 : 1), 1),
  );
}

/**
 * The signs of a quaternion (w, x, y, z). With S the flip, S R S is a rotation again and gives the same ellipsoid as S R, because the
 * scales do not feel a sign.
 */
export function quaternionSigns([x, y, z]: AxisSigns): readonly [number, number, number, number] {
  return [1, y * z, x * z, x * y];
}

/**
 * The same cloud in axes some of which point the other way: centres, rotations and spherical harmonics.
 *
 * @example
 * import { DOWN_FORWARD_TO_UP_BACK, flipAxes } from '@langevin/io/splats';
 * import { syntheticCloud } from '@langevin/io/testing';
 * const cloud = syntheticCloud({ count: 1, seed: 1 });
 * const flipped = flipAxes(cloud, DOWN_FORWARD_TO_UP_BACK);
 * flipped.means[1] === -cloud.means[1]; // => true
 */
export function flipAxes(cloud: SplatCloud, signs: AxisSigns): SplatCloud {
  if (!Array.isArray(signs) || signs.length !== 3 || !signs.every((sign) => sign === 1 || sign === -1))
    throw new UserError(`[io/splats] signs of three axes are each 1 or -1: signs=${shownValue(signs)}. Pass such as [1, -1, -1].`);
  checkCloud(cloud);
  const bySh = shSigns(signs)
    .slice(0, shCoefficients(cloud.degree))
    .flatMap((sign) => [sign, sign, sign]);
  return {
    ...cloud,
    means: cloud.means.map((value, i) => value * signs[i % 3]!),
    quaternions: multiplyRows(cloud.quaternions, quaternionSigns(signs)),
    sh: multiplyRows(cloud.sh, bySh),
  };
}

function multiplyRows(values: Float32Array, factors: readonly number[]): Float32Array {
  return values.map((value, i) => value * factors[i % factors.length]!);
}
