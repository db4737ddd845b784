import { BOTTOM, FX, FY, LEFT, LOG_SCALES, number, PINHOLE, put, QUATERNIONS, RIGHT, single, TOP, word } from './layout';

/** Blur that every Gaussian gets, in px^2. */
export const BLUR: f64 = 0.3;
export const LEAST_COMPENSATION: f64 = 0.005;

// What lies between a Gaussian's shape and its shape in the picture: float64 numbers in scratch.

/** Place in camera axes. */
export const X: i32 = 0;
export const Y: i32 = 1;
export const Z: i32 = 2;
/** Where the slope is taken, as ratios to z. */
export const U: i32 = 3;
export const V: i32 = 4;
/** Covariance in the picture, and its determinants before and after the blur. */
export const XX: i32 = 5;
export const XY: i32 = 6;
export const YY: i32 = 7;
export const SHARP: i32 = 8;
export const BLURRED: i32 = 9;
/** Rotation matrix, [3, 3]. */
export const ROTATION: i32 = 10;
export const SCALES: i32 = 19;
/** Slope of the projection by world axes, [2, 3]. */
export const SLOPE: i32 = 22;
/** slope * rotation * scales, [2, 3]: the covariance in the picture is this times its transpose. */
export const SPREAD: i32 = 28;
/** Values of the spherical harmonics, [16]. */
export const BASIS: i32 = 34;
export const WEIGHTS: i32 = 50;
/** Gradients of ROTATION, SLOPE and SPREAD. */
export const V_ROTATION: i32 = 66;
export const V_SLOPE: i32 = 75;
export const V_SPREAD: i32 = 81;
export const V_DIRECTION: i32 = 87;

/** Fills in the place. `w` is the camera. */
@inline
export function place(f: usize, w: usize, means: usize, i: i32): void {
  const mx = single(means, 3 * i);
  const my = single(means, 3 * i + 1);
  const mz = single(means, 3 * i + 2);
  put(f, X, number(w, 0) * mx + number(w, 1) * my + number(w, 2) * mz + number(w, 3));
  put(f, Y, number(w, 4) * mx + number(w, 5) * my + number(w, 6) * mz + number(w, 7));
  put(f, Z, number(w, 8) * mx + number(w, 9) * my + number(w, 10) * mz + number(w, 11));
}

/** Fills in everything up to the determinants, once the place is known. */
export function flatten(f: usize, w: usize, i: i32): void {
  const quaternions = <usize>word(QUATERNIONS);
  const logScales = <usize>word(LOG_SCALES);
  let q0 = single(quaternions, 4 * i);
  let q1 = single(quaternions, 4 * i + 1);
  let q2 = single(quaternions, 4 * i + 2);
  let q3 = single(quaternions, 4 * i + 3);
  const unit = 1 / sqrt<f64>(q0 * q0 + q1 * q1 + q2 * q2 + q3 * q3);
  q0 *= unit;
  q1 *= unit;
  q2 *= unit;
  q3 *= unit;
  put(f, ROTATION, 1 - 2 * (q2 * q2 + q3 * q3));
  put(f, ROTATION + 1, 2 * (q1 * q2 - q0 * q3));
  put(f, ROTATION + 2, 2 * (q1 * q3 + q0 * q2));
  put(f, ROTATION + 3, 2 * (q1 * q2 + q0 * q3));
  put(f, ROTATION + 4, 1 - 2 * (q1 * q1 + q3 * q3));
  put(f, ROTATION + 5, 2 * (q2 * q3 - q0 * q1));
  put(f, ROTATION + 6, 2 * (q1 * q3 - q0 * q2));
  put(f, ROTATION + 7, 2 * (q2 * q3 + q0 * q1));
  put(f, ROTATION + 8, 1 - 2 * (q1 * q1 + q2 * q2));

  let j00 = number(w, FX);
  let j02: f64 = 0;
  let j11 = number(w, FY);
  let j12: f64 = 0;
  if (word(PINHOLE) != 0) {
    const inverse = 1 / number(f, Z);
    const u = min<f64>(number(w, RIGHT), max<f64>(number(w, LEFT), number(f, X) * inverse));
    const v = min<f64>(number(w, BOTTOM), max<f64>(number(w, TOP), number(f, Y) * inverse));
    put(f, U, u);
    put(f, V, v);
    j00 *= inverse;
    j02 = -j00 * u;
    j11 *= inverse;
    j12 = -j11 * v;
  }
  for (let axis = 0; axis < 3; axis++) {
    put(f, SLOPE + axis, j00 * number(w, axis) + j02 * number(w, 8 + axis));
    put(f, SLOPE + 3 + axis, j11 * number(w, 4 + axis) + j12 * number(w, 8 + axis));
  }
  for (let j = 0; j < 3; j++) {
    const s = Math.exp(single(logScales, 3 * i + j));
    const r0 = number(f, ROTATION + j);
    const r1 = number(f, ROTATION + 3 + j);
    const r2 = number(f, ROTATION + 6 + j);
    put(f, SCALES + j, s);
    put(f, SPREAD + j, (number(f, SLOPE) * r0 + number(f, SLOPE + 1) * r1 + number(f, SLOPE + 2) * r2) * s);
    put(f, SPREAD + 3 + j, (number(f, SLOPE + 3) * r0 + number(f, SLOPE + 4) * r1 + number(f, SLOPE + 5) * r2) * s);
  }
  const a = number(f, SPREAD);
  const b = number(f, SPREAD + 1);
  const c = number(f, SPREAD + 2);
  const d = number(f, SPREAD + 3);
  const e = number(f, SPREAD + 4);
  const g = number(f, SPREAD + 5);
  const xx = a * a + b * b + c * c;
  const yy = d * d + e * e + g * g;
  // The determinant as a sum of squares (Lagrange's identity): a thin Gaussian loses no digits.
  const s = a * e - b * d;
  const t = a * g - c * d;
  const h = b * g - c * e;
  const sharp = s * s + t * t + h * h;
  put(f, XX, xx);
  put(f, XY, a * d + b * e + c * g);
  put(f, YY, yy);
  put(f, SHARP, sharp);
  put(f, BLURRED, sharp + BLUR * (xx + yy) + BLUR * BLUR);
}
