import type { Matrix } from './matrices.ts';

/** Rotation matrix of a quaternion (w, x, y, z), which is normalised first. */
export function rotation(quaternion: readonly number[]): Matrix {
  const [w, x, y, z] = normalised(quaternion) as [number, number, number, number];
  return [
    [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
    [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
    [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
  ];
}

/** dL/d(quaternion) from dL/d(rotation matrix). */
export function rotationBackward(quaternion: readonly number[], v: Matrix): number[] {
  const [w, x, y, z] = normalised(quaternion) as [number, number, number, number];
  const [[v00, v01, v02], [v10, v11, v12], [v20, v21, v22]] = v as [
    [number, number, number],
    [number, number, number],
    [number, number, number],
  ];
  const unit = [
    2 * (x * (v21 - v12) + y * (v02 - v20) + z * (v10 - v01)),
    2 * (w * (v21 - v12) - 2 * x * (v11 + v22) + y * (v01 + v10) + z * (v02 + v20)),
    2 * (w * (v02 - v20) + x * (v01 + v10) - 2 * y * (v00 + v22) + z * (v12 + v21)),
    2 * (w * (v10 - v01) + x * (v02 + v20) + y * (v12 + v21) - 2 * z * (v00 + v11)),
  ];
  return throughNormalisation(quaternion, unit);
}

/** dL/d(vector) from dL/d(vector / length). */
export function throughNormalisation(vector: readonly number[], v: readonly number[]): number[] {
  const length = Math.hypot(...vector);
  const unit = vector.map((value) => value / length);
  const along = unit.reduce((sum, value, i) => sum + value * v[i]!, 0);
  return v.map((value, i) => (value - unit[i]! * along) / length);
}

function normalised(vector: readonly number[]): number[] {
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}
