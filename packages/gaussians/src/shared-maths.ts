import type { FloatArray } from './gaussians.ts';

/** The inverse of the logistic function, for 0 < probability < 1. */
export function logit(probability: number): number {
  return Math.log(probability / (1 - probability));
}

/** Nine numbers by rows of the rotation of the quaternion (w, x, y, z) at an offset, which need not have length 1. */
export function rotationMatrix(quaternions: FloatArray, at: number): readonly number[] {
  const length = Math.hypot(quaternions[at]!, quaternions[at + 1]!, quaternions[at + 2]!, quaternions[at + 3]!) || 1;
  const w = quaternions[at]! / length;
  const x = quaternions[at + 1]! / length;
  const y = quaternions[at + 2]! / length;
  const z = quaternions[at + 3]! / length;
  return [
    1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y),
    2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x),
    2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y),
  ]; // prettier-ignore
}
