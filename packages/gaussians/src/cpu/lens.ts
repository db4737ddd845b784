import type { Camera } from '../camera.ts';
import { BLUR, FRUSTUM_MARGIN } from '../settings.ts';

/** A camera with what projecting many Gaussians needs again and again. */
export interface Lens {
  readonly pinhole: boolean;
  readonly width: number;
  readonly height: number;
  readonly fx: number;
  readonly fy: number;
  readonly cx: number;
  readonly cy: number;
  readonly w: Float64Array;
  /** Ratios x / z and y / z between which the projection is linearised at the Gaussian itself. */
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

export function lens(camera: Camera): Lens {
  const { kind = 'pinhole', width, height, fx, fy, cx, cy, worldToCamera } = camera;
  const marginX = (FRUSTUM_MARGIN * width) / (2 * fx);
  const marginY = (FRUSTUM_MARGIN * height) / (2 * fy);
  return { pinhole: kind === 'pinhole', width, height, fx, fy, cx, cy, w: Float64Array.from(worldToCamera), left: -cx / fx - marginX, right: (width - cx) / fx + marginX, top: -cy / fy - marginY, bottom: (height - cy) / fy + marginY };
}

/** Everything between a Gaussian's shape and its shape in the picture; one is filled again for each Gaussian. */
export interface Footprint {
  /** In camera axes. */
  x: number;
  y: number;
  z: number;
  /** Where the slope is taken, as a ratio to z. */
  u: number;
  v: number;
  readonly rotation: Float64Array;
  readonly scales: Float64Array;
  /** Slope of the projection by world axes, [2, 3]. */
  readonly slope: Float64Array;
  /** slope * rotation * scales, [2, 3]: the covariance in the picture is this times its transpose. */
  readonly spread: Float64Array;
  xx: number;
  xy: number;
  yy: number;
  /** Determinants before and after the blur. */
  sharp: number;
  blurred: number;
}

export function footprint(): Footprint {
  return { x: 0, y: 0, z: 0, u: 0, v: 0, rotation: new Float64Array(9), scales: new Float64Array(3), slope: new Float64Array(6), spread: new Float64Array(6), xx: 0, xy: 0, yy: 0, sharp: 0, blurred: 0 };
}

/** Fills in the place in camera axes. */
export function place(f: Footprint, { w }: Lens, means: Float32Array, i: number): void {
  const mx = means[3 * i]!;
  const my = means[3 * i + 1]!;
  const mz = means[3 * i + 2]!;
  f.x = w[0]! * mx + w[1]! * my + w[2]! * mz + w[3]!;
  f.y = w[4]! * mx + w[5]! * my + w[6]! * mz + w[7]!;
  f.z = w[8]! * mx + w[9]! * my + w[10]! * mz + w[11]!;
}

/** Fills in the rest, once the place is known. */
export function flatten(f: Footprint, { pinhole, fx, fy, w, left, right, top, bottom }: Lens, quaternions: Float32Array, logScales: Float32Array, i: number): void {
  const { rotation: r, scales, slope, spread } = f;
  let q0 = quaternions[4 * i]!;
  let q1 = quaternions[4 * i + 1]!;
  let q2 = quaternions[4 * i + 2]!;
  let q3 = quaternions[4 * i + 3]!;
  const unit = 1 / Math.sqrt(q0 * q0 + q1 * q1 + q2 * q2 + q3 * q3);
  q0 *= unit;
  q1 *= unit;
  q2 *= unit;
  q3 *= unit;
  r[0] = 1 - 2 * (q2 * q2 + q3 * q3);
  r[1] = 2 * (q1 * q2 - q0 * q3);
  r[2] = 2 * (q1 * q3 + q0 * q2);
  r[3] = 2 * (q1 * q2 + q0 * q3);
  r[4] = 1 - 2 * (q1 * q1 + q3 * q3);
  r[5] = 2 * (q2 * q3 - q0 * q1);
  r[6] = 2 * (q1 * q3 - q0 * q2);
  r[7] = 2 * (q2 * q3 + q0 * q1);
  r[8] = 1 - 2 * (q1 * q1 + q2 * q2);

  let j00 = fx;
  let j02 = 0;
  let j11 = fy;
  let j12 = 0;
  if (pinhole) {
    const inverse = 1 / f.z;
    f.u = Math.min(right, Math.max(left, f.x * inverse));
    f.v = Math.min(bottom, Math.max(top, f.y * inverse));
    j00 = fx * inverse;
    j02 = -j00 * f.u;
    j11 = fy * inverse;
    j12 = -j11 * f.v;
  }
  for (let axis = 0; axis < 3; axis++) {
    slope[axis] = j00 * w[axis]! + j02 * w[8 + axis]!;
    slope[3 + axis] = j11 * w[4 + axis]! + j12 * w[8 + axis]!;
  }
  for (let j = 0; j < 3; j++) {
    const s = Math.exp(logScales[3 * i + j]!);
    scales[j] = s;
    spread[j] = (slope[0]! * r[j]! + slope[1]! * r[3 + j]! + slope[2]! * r[6 + j]!) * s;
    spread[3 + j] = (slope[3]! * r[j]! + slope[4]! * r[3 + j]! + slope[5]! * r[6 + j]!) * s;
  }
  const a = spread[0]!;
  const b = spread[1]!;
  const c = spread[2]!;
  const d = spread[3]!;
  const e = spread[4]!;
  const g = spread[5]!;
  f.xx = a * a + b * b + c * c;
  f.xy = a * d + b * e + c * g;
  f.yy = d * d + e * e + g * g;
  // The determinant as a sum of squares (Lagrange's identity): a thin Gaussian loses no digits.
  const s = a * e - b * d;
  const t = a * g - c * d;
  const h = b * g - c * e;
  f.sharp = s * s + t * t + h * h;
  f.blurred = f.sharp + BLUR * (f.xx + f.yy) + BLUR * BLUR;
}
