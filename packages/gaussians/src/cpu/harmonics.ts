const C0 = 0.28209479177387814;
const C1 = 0.4886025119029199;
const C20 = 1.0925484305920792;
const C22 = 0.31539156525252005;
const C24 = 0.5462742152960396;
const C30 = 0.5900435899266435;
const C31 = 2.890611442640554;
const C32 = 0.4570457994644658;
const C33 = 0.3731763325901154;
const C35 = 1.445305721320277;

/** Values of the basis at a unit vector, into `out`. */
export function basis(out: Float64Array, degree: number, x: number, y: number, z: number): void {
  out[0] = C0;
  if (degree < 1) return;
  out[1] = -C1 * y;
  out[2] = C1 * z;
  out[3] = -C1 * x;
  if (degree < 2) return;
  const xx = x * x;
  const yy = y * y;
  const zz = z * z;
  out[4] = C20 * x * y;
  out[5] = -C20 * y * z;
  out[6] = C22 * (2 * zz - xx - yy);
  out[7] = -C20 * x * z;
  out[8] = C24 * (xx - yy);
  if (degree < 3) return;
  const four = 4 * zz - xx - yy;
  out[9] = -C30 * y * (3 * xx - yy);
  out[10] = C31 * x * y * z;
  out[11] = -C32 * y * four;
  out[12] = C33 * z * (2 * zz - 3 * xx - 3 * yy);
  out[13] = -C32 * x * four;
  out[14] = C35 * z * (xx - yy);
  out[15] = -C30 * x * (xx - 3 * yy);
}

/** dL/d(unit vector), into `out`, when `weights` are dL/d(values of the basis). */
export function basisBackward(out: Float64Array, degree: number, x: number, y: number, z: number, weights: Float64Array): void {
  out[0] = 0;
  out[1] = 0;
  out[2] = 0;
  if (degree < 1) return;
  let vx = -C1 * weights[3]!;
  let vy = -C1 * weights[1]!;
  let vz = C1 * weights[2]!;
  if (degree >= 2) {
    const w4 = C20 * weights[4]!;
    const w5 = -C20 * weights[5]!;
    const w6 = 2 * C22 * weights[6]!;
    const w7 = -C20 * weights[7]!;
    const w8 = 2 * C24 * weights[8]!;
    vx += w4 * y - w6 * x + w7 * z + w8 * x;
    vy += w4 * x + w5 * z - w6 * y - w8 * y;
    vz += w5 * y + 2 * w6 * z + w7 * x;
  }
  if (degree >= 3) {
    const xx = x * x;
    const yy = y * y;
    const zz = z * z;
    const xy = x * y;
    const w9 = -3 * C30 * weights[9]!;
    const w10 = C31 * weights[10]!;
    const w11 = -C32 * weights[11]!;
    const w12 = 3 * C33 * weights[12]!;
    const w13 = -C32 * weights[13]!;
    const w14 = C35 * weights[14]!;
    const w15 = -3 * C30 * weights[15]!;
    vx += 2 * w9 * xy + w10 * y * z - 2 * w11 * xy - 2 * w12 * x * z + w13 * (4 * zz - 3 * xx - yy) + 2 * w14 * x * z + w15 * (xx - yy);
    vy += w9 * (xx - yy) + w10 * x * z + w11 * (4 * zz - xx - 3 * yy) - 2 * w12 * y * z - 2 * w13 * xy - 2 * w14 * y * z - 2 * w15 * xy;
    vz += w10 * xy + 8 * w11 * y * z + w12 * (2 * zz - xx - yy) + 8 * w13 * x * z + w14 * (xx - yy);
  }
  out[0] = vx;
  out[1] = vy;
  out[2] = vz;
}
