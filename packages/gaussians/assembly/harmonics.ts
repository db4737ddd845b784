import { number, put, single } from './layout';
import { BASIS, V_DIRECTION, WEIGHTS } from './lens';

const C0: f64 = 0.28209479177387814;
const C1: f64 = 0.4886025119029199;
const C20: f64 = 1.0925484305920792;
const C22: f64 = 0.31539156525252005;
const C24: f64 = 0.5462742152960396;
const C30: f64 = 0.5900435899266435;
const C31: f64 = 2.890611442640554;
const C32: f64 = 0.4570457994644658;
const C33: f64 = 0.3731763325901154;
const C35: f64 = 1.445305721320277;

/** Values of the basis at a unit vector, into scratch. */
export function basis(f: usize, degree: i32, x: f64, y: f64, z: f64): void {
  put(f, BASIS, C0);
  if (degree < 1) return;
  put(f, BASIS + 1, -C1 * y);
  put(f, BASIS + 2, C1 * z);
  put(f, BASIS + 3, -C1 * x);
  if (degree < 2) return;
  const xx = x * x;
  const yy = y * y;
  const zz = z * z;
  put(f, BASIS + 4, C20 * x * y);
  put(f, BASIS + 5, -C20 * y * z);
  put(f, BASIS + 6, C22 * (2 * zz - xx - yy));
  put(f, BASIS + 7, -C20 * x * z);
  put(f, BASIS + 8, C24 * (xx - yy));
  if (degree < 3) return;
  const four = 4 * zz - xx - yy;
  put(f, BASIS + 9, -C30 * y * (3 * xx - yy));
  put(f, BASIS + 10, C31 * x * y * z);
  put(f, BASIS + 11, -C32 * y * four);
  put(f, BASIS + 12, C33 * z * (2 * zz - 3 * xx - 3 * yy));
  put(f, BASIS + 13, -C32 * x * four);
  put(f, BASIS + 14, C35 * z * (xx - yy));
  put(f, BASIS + 15, -C30 * x * (xx - 3 * yy));
}

/** A colour channel before it is cut off at 0. `row` is the address of the Gaussian's first coefficient of that channel. */
@inline
export function shade(f: usize, row: usize, coefficients: i32): f64 {
  let sum: f64 = 0.5;
  for (let k = 0; k < coefficients; k++) sum += number(f, BASIS + k) * single(row, 3 * k);
  return sum;
}

/** dL/d(unit vector), into scratch, from WEIGHTS = dL/d(values of the basis). */
export function basisBackward(f: usize, degree: i32, x: f64, y: f64, z: f64): void {
  let vx = -C1 * number(f, WEIGHTS + 3);
  let vy = -C1 * number(f, WEIGHTS + 1);
  let vz = C1 * number(f, WEIGHTS + 2);
  if (degree >= 2) {
    const w4 = C20 * number(f, WEIGHTS + 4);
    const w5 = -C20 * number(f, WEIGHTS + 5);
    const w6 = 2 * C22 * number(f, WEIGHTS + 6);
    const w7 = -C20 * number(f, WEIGHTS + 7);
    const w8 = 2 * C24 * number(f, WEIGHTS + 8);
    vx += w4 * y - w6 * x + w7 * z + w8 * x;
    vy += w4 * x + w5 * z - w6 * y - w8 * y;
    vz += w5 * y + 2 * w6 * z + w7 * x;
  }
  if (degree >= 3) {
    const xx = x * x;
    const yy = y * y;
    const zz = z * z;
    const xy = x * y;
    const w9 = -3 * C30 * number(f, WEIGHTS + 9);
    const w10 = C31 * number(f, WEIGHTS + 10);
    const w11 = -C32 * number(f, WEIGHTS + 11);
    const w12 = 3 * C33 * number(f, WEIGHTS + 12);
    const w13 = -C32 * number(f, WEIGHTS + 13);
    const w14 = C35 * number(f, WEIGHTS + 14);
    const w15 = -3 * C30 * number(f, WEIGHTS + 15);
    vx += 2 * w9 * xy + w10 * y * z - 2 * w11 * xy - 2 * w12 * x * z + w13 * (4 * zz - 3 * xx - yy) + 2 * w14 * x * z + w15 * (xx - yy);
    vy += w9 * (xx - yy) + w10 * x * z + w11 * (4 * zz - xx - 3 * yy) - 2 * w12 * y * z - 2 * w13 * xy - 2 * w14 * y * z - 2 * w15 * xy;
    vz += w10 * xy + 8 * w11 * y * z + w12 * (2 * zz - xx - yy) + 8 * w13 * x * z + w14 * (xx - yy);
  }
  put(f, V_DIRECTION, vx);
  put(f, V_DIRECTION + 1, vy);
  put(f, V_DIRECTION + 2, vz);
}
