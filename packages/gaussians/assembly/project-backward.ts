import { basis, basisBackward, shade } from './harmonics';
import {
  CHANNELS,
  CHECKS,
  CHUNK,
  COLORS,
  COUNT,
  DEGREE,
  DEPTH,
  EYE,
  FEATURE_CHANNELS,
  FIRST_PAIRS,
  FX,
  FY,
  LENS,
  LOGITS,
  MASKS,
  MEANS,
  MIP,
  number,
  PAIR_COUNTS,
  PAIRS,
  PINHOLE,
  put,
  putSingle,
  QUATERNIONS,
  ROW_STRIDE,
  ROWS,
  SH,
  SH_ROW,
  single,
  V_ABSOLUTE,
  V_CAMERA,
  V_COLORS,
  V_FEATURES,
  V_LOG_SCALES,
  V_LOGITS,
  V_MEANS,
  V_MEANS2D,
  V_QUATERNIONS,
  V_SH,
  word,
} from './layout';
import {
  BASIS,
  BLUR,
  BLURRED,
  flatten,
  LEAST_COMPENSATION,
  place,
  ROTATION,
  SCALES,
  SHARP,
  SLOPE,
  SPREAD,
  U,
  V,
  V_DIRECTION,
  V_ROTATION,
  V_SLOPE,
  V_SPREAD,
  WEIGHTS,
  X,
  XX,
  XY,
  Y,
  YY,
  Z,
} from './lens';
import { POWER } from './project';

/** Where in scratch the sums over the tiles of a Gaussian are: a row like those of backward.ts. */
const SUMS: usize = 96 * 8;
const HEAD: i32 = 8;

/** Gaussians whose rows are fetched together. */
const BATCH: i32 = 8;

/** From the rows of a chunk's Gaussians to the gradients of the scene, and the chunk's part of that of the camera. */
export function projectBackwardChunk(chunk: i32, f: usize): void {
  const first = chunk * CHUNK;
  const last = min(word(COUNT), first + CHUNK);
  const camera = <usize>word(V_CAMERA) + <usize>chunk * 96;
  memory.fill(camera, 0, 96);
  const length = word(SH_ROW);
  const features = word(FEATURE_CHANNELS);
  // What is not drawn has no gradient.
  const size = (<usize>(last - first)) << 2;
  memory.fill(<usize>word(V_MEANS) + ((<usize>first * 3) << 2), 0, 3 * size);
  memory.fill(<usize>word(V_QUATERNIONS) + ((<usize>first * 4) << 2), 0, 4 * size);
  memory.fill(<usize>word(V_LOG_SCALES) + ((<usize>first * 3) << 2), 0, 3 * size);
  memory.fill(<usize>word(V_LOGITS) + ((<usize>first) << 2), 0, size);
  memory.fill(<usize>word(V_SH) + ((<usize>(first * length)) << 2), 0, <usize>length * size);
  memory.fill(<usize>word(V_MEANS2D) + ((<usize>first * 2) << 2), 0, 2 * size);
  memory.fill(<usize>word(V_ABSOLUTE) + ((<usize>first * 2) << 2), 0, 2 * size);
  if (word(COLORS) != 0) memory.fill(<usize>word(V_COLORS) + ((<usize>first * 3) << 2), 0, 3 * size);
  if (features != 0) memory.fill(<usize>word(V_FEATURES) + ((<usize>(first * features)) << 2), 0, <usize>features * size);
  let check: f64 = 0;
  for (let begin = first; begin < last; begin += BATCH) {
    const beyond = min(begin + BATCH, last);
    touchRows(begin, beyond, f);
    for (let i = begin; i < beyond; i++) {
      if (!addRows(i, f)) continue;
      projectBackwardOne(i, f, camera);
      check += total(i);
    }
  }
  put(<usize>word(CHECKS), chunk, check);
}

/**
 * The sum of a Gaussian's gradients as they were stored: infinities and what is no number survive it, and finite ones cannot overflow it.
 */
function total(i: i32): f64 {
  let sum = single(<usize>word(V_LOGITS), i);
  for (let k = 0; k < 3; k++) sum += single(<usize>word(V_MEANS), 3 * i + k) + single(<usize>word(V_LOG_SCALES), 3 * i + k);
  for (let k = 0; k < 4; k++) sum += single(<usize>word(V_QUATERNIONS), 4 * i + k);
  if (word(COLORS) == 0) {
    const degree = word(DEGREE) + 1;
    const row = <usize>word(V_SH) + ((<usize>(i * word(SH_ROW))) << 2);
    for (let k = 3 * degree * degree - 1; k >= 0; k--) sum += single(row, k);
  }
  return sum;
}

/** Reads a number of each row, all at once: they lie far apart, and one would wait for the memory after another. */
function touchRows(begin: i32, beyond: i32, f: usize): void {
  const pairs = <usize>word(PAIRS);
  const rows = <usize>word(ROWS);
  const stride = <usize>word(ROW_STRIDE);
  const counts = <usize>word(PAIR_COUNTS);
  const firsts = <usize>word(FIRST_PAIRS);
  let sum: u32 = 0;
  for (let i = begin; i < beyond; i++) {
    let pair = pairs + ((<usize>load<u32>(firsts + ((<usize>i) << 2))) << 2);
    for (const end = pair + ((<usize>load<u32>(counts + ((<usize>i) << 2))) << 2); pair < end; pair += 4)
      sum += load<u32>(rows + <usize>load<u32>(pair) * stride, 16);
  }
  store<u32>(f + SUMS, sum);
}

/** Adds the rows of a Gaussian in the order of tiles, whoever made them. */
function addRows(i: i32, f: usize): bool {
  const count = load<u32>(<usize>word(PAIR_COUNTS) + ((<usize>i) << 2));
  if (count == 0) return false;
  const pairs = <usize>word(PAIRS) + ((<usize>load<u32>(<usize>word(FIRST_PAIRS) + ((<usize>i) << 2))) << 2);
  const masks = <usize>word(MASKS);
  const rows = <usize>word(ROWS);
  const stride = <usize>word(ROW_STRIDE);
  const sums = f + SUMS;
  let some = false;
  for (let at: usize = 0; at < stride; at += 16) v128.store(sums + at, f32x4.splat(0));
  for (let pair: u32 = 0; pair < count; pair++) {
    const entry = <usize>load<u32>(pairs + ((<usize>pair) << 2));
    if (load<u32>(masks + (entry << 2)) == 0) continue;
    some = true;
    const row = rows + entry * stride;
    for (let at: usize = 0; at < stride; at += 16) v128.store(sums + at, f32x4.add(v128.load(sums + at), v128.load(row + at)));
  }
  return some;
}

function projectBackwardOne(i: i32, f: usize, camera: usize): void {
  const w = <usize>word(LENS);
  const means = <usize>word(MEANS);
  const withDepth = word(DEPTH) != 0;
  const features = word(FEATURE_CHANNELS);
  place(f, w, means, i);
  flatten(f, w, i);

  // The pixels' sums: everything in terms of sigma, whose gradient is -g.
  const xx = number(f, XX);
  const xy = number(f, XY);
  const yy = number(f, YY);
  const inverse = 1 / number(f, BLURRED);
  const a = (yy + BLUR) * inverse;
  const b = -xy * inverse;
  const c = (xx + BLUR) * inverse;
  const plain = 1 / (1 + Math.exp(-single(<usize>word(LOGITS), i)));
  const sharp = number(f, SHARP);
  const ratio = sqrt<f64>(sharp * inverse);
  const mip = word(MIP) != 0;
  const compensation: f64 = mip ? max<f64>(LEAST_COMPENSATION, ratio) : 1;
  const vOpacity = sum(f, 0) / (plain * compensation);
  const sumX = sum(f, 1);
  const sumY = sum(f, 2);
  const vX = -(a * sumX + b * sumY);
  const vY = -(b * sumX + c * sumY);
  const va = -0.5 * sum(f, 3);
  const vb = -0.5 * sum(f, 4);
  const vc = -0.5 * sum(f, 5);
  putSingle(<usize>word(V_MEANS2D), 2 * i, vX);
  putSingle(<usize>word(V_MEANS2D), 2 * i + 1, vY);
  putSingle(<usize>word(V_ABSOLUTE), 2 * i, sum(f, 6) / POWER);
  putSingle(<usize>word(V_ABSOLUTE), 2 * i + 1, sum(f, 7) / POWER);
  putSingle(<usize>word(V_LOGITS), i, vOpacity * compensation * plain * (1 - plain));

  // The covariance in the picture: minus the conic on both sides of its own gradient.
  const a00 = va * a + vb * b;
  const a01 = va * b + vb * c;
  const a10 = vb * a + vc * b;
  const a11 = vb * b + vc * c;
  let gxx = -(a * a00 + b * a10);
  let gxy = -(a * a01 + b * a11);
  let gyy = -(b * a01 + c * a11);
  if (mip && ratio > LEAST_COMPENSATION) {
    const vSharp = ((vOpacity * plain) / (2 * ratio)) * inverse;
    const vBlurred = -vSharp * sharp * inverse;
    gxx += vSharp * yy + vBlurred * (yy + BLUR);
    gxy -= (vSharp + vBlurred) * xy;
    gyy += vSharp * xx + vBlurred * (xx + BLUR);
  }

  // Through spread = slope * rotation * scales.
  for (let j = 0; j < 3; j++) {
    const s0 = number(f, SPREAD + j);
    const s1 = number(f, SPREAD + 3 + j);
    const v0 = 2 * (gxx * s0 + gxy * s1);
    const v1 = 2 * (gxy * s0 + gyy * s1);
    putSingle(<usize>word(V_LOG_SCALES), 3 * i + j, v0 * s0 + v1 * s1);
    put(f, V_SPREAD + j, v0 * number(f, SCALES + j));
    put(f, V_SPREAD + 3 + j, v1 * number(f, SCALES + j));
  }
  for (let k = 0; k < 3; k++) {
    let v0: f64 = 0;
    let v1: f64 = 0;
    for (let j = 0; j < 3; j++) {
      put(
        f,
        V_ROTATION + 3 * k + j,
        number(f, SLOPE + k) * number(f, V_SPREAD + j) + number(f, SLOPE + 3 + k) * number(f, V_SPREAD + 3 + j),
      );
      v0 += number(f, V_SPREAD + j) * number(f, ROTATION + 3 * k + j);
      v1 += number(f, V_SPREAD + 3 + j) * number(f, ROTATION + 3 * k + j);
    }
    put(f, V_SLOPE + k, v0);
    put(f, V_SLOPE + 3 + k, v1);
  }
  turnBackward(i, f);

  // Through the projection to the place in camera axes.
  let vPlaceX = number(w, FX) * vX;
  let vPlaceY = number(w, FY) * vY;
  let vPlaceZ: f64 = withDepth ? sum(f, HEAD + 3 + features) : 0;
  let j00 = number(w, FX);
  let j02: f64 = 0;
  let j11 = number(w, FY);
  let j12: f64 = 0;
  if (word(PINHOLE) != 0) {
    const x = number(f, X);
    const y = number(f, Y);
    const u = number(f, U);
    const v = number(f, V);
    const over = 1 / number(f, Z);
    j00 *= over;
    j02 = -j00 * u;
    j11 *= over;
    j12 = -j11 * v;
    const vJ00 = number(f, V_SLOPE) * number(w, 0) + number(f, V_SLOPE + 1) * number(w, 1) + number(f, V_SLOPE + 2) * number(w, 2);
    const vJ02 = number(f, V_SLOPE) * number(w, 8) + number(f, V_SLOPE + 1) * number(w, 9) + number(f, V_SLOPE + 2) * number(w, 10);
    const vJ11 = number(f, V_SLOPE + 3) * number(w, 4) + number(f, V_SLOPE + 4) * number(w, 5) + number(f, V_SLOPE + 5) * number(w, 6);
    const vJ12 = number(f, V_SLOPE + 3) * number(w, 8) + number(f, V_SLOPE + 4) * number(w, 9) + number(f, V_SLOPE + 5) * number(w, 10);
    vPlaceX *= over;
    vPlaceY *= over;
    vPlaceZ -= over * (x * vPlaceX + y * vPlaceY);
    vPlaceZ -= over * (j00 * vJ00 + j11 * vJ11 + j02 * vJ02 + j12 * vJ12);
    // Beyond the margin the slope stays that of the margin.
    if (u == x * over) {
      vPlaceX -= over * j00 * vJ02;
      vPlaceZ += over * j00 * u * vJ02;
    }
    if (v == y * over) {
      vPlaceY -= over * j11 * vJ12;
      vPlaceZ += over * j11 * v * vJ12;
    }
  }
  const mx = single(means, 3 * i);
  const my = single(means, 3 * i + 1);
  const mz = single(means, 3 * i + 2);
  let vMeanX = number(w, 0) * vPlaceX + number(w, 4) * vPlaceY + number(w, 8) * vPlaceZ;
  let vMeanY = number(w, 1) * vPlaceX + number(w, 5) * vPlaceY + number(w, 9) * vPlaceZ;
  let vMeanZ = number(w, 2) * vPlaceX + number(w, 6) * vPlaceY + number(w, 10) * vPlaceZ;
  for (let k = 0; k < 3; k++) {
    const s0 = number(f, V_SLOPE + k);
    const s1 = number(f, V_SLOPE + 3 + k);
    const m = single(means, 3 * i + k);
    grow(camera, k, vPlaceX * m + j00 * s0);
    grow(camera, 4 + k, vPlaceY * m + j11 * s1);
    grow(camera, 8 + k, vPlaceZ * m + j02 * s0 + j12 * s1);
  }
  grow(camera, 3, vPlaceX);
  grow(camera, 7, vPlaceY);
  grow(camera, 11, vPlaceZ);

  // Colour and features.
  for (let k = 0; k < features; k++) putSingle(<usize>word(V_FEATURES), i * features + k, sum(f, HEAD + 3 + k));
  if (word(COLORS) != 0) {
    for (let k = 0; k < 3; k++) putSingle(<usize>word(V_COLORS), 3 * i + k, sum(f, HEAD + k));
  } else {
    const dx = mx - number(w, EYE);
    const dy = my - number(w, EYE + 1);
    const dz = mz - number(w, EYE + 2);
    const unit = 1 / sqrt<f64>(dx * dx + dy * dy + dz * dz);
    const x = dx * unit;
    const y = dy * unit;
    const z = dz * unit;
    const degree = word(DEGREE);
    const coefficients = (degree + 1) * (degree + 1);
    basis(f, degree, x, y, z);
    const row = <usize>word(SH) + ((<usize>(i * word(SH_ROW))) << 2);
    const target = <usize>word(V_SH) + ((<usize>(i * word(SH_ROW))) << 2);
    const vRed: f64 = shade(f, row, coefficients) > 0 ? sum(f, HEAD) : 0;
    const vGreen: f64 = shade(f, row + 4, coefficients) > 0 ? sum(f, HEAD + 1) : 0;
    const vBlue: f64 = shade(f, row + 8, coefficients) > 0 ? sum(f, HEAD + 2) : 0;
    for (let k = 0; k < coefficients; k++) {
      const factor = number(f, BASIS + k);
      put(f, WEIGHTS + k, vRed * single(row, 3 * k) + vGreen * single(row, 3 * k + 1) + vBlue * single(row, 3 * k + 2));
      putSingle(target, 3 * k, factor * vRed);
      putSingle(target, 3 * k + 1, factor * vGreen);
      putSingle(target, 3 * k + 2, factor * vBlue);
    }
    if (degree > 0) {
      basisBackward(f, degree, x, y, z);
      const v0 = number(f, V_DIRECTION);
      const v1 = number(f, V_DIRECTION + 1);
      const v2 = number(f, V_DIRECTION + 2);
      const along = x * v0 + y * v1 + z * v2;
      const vx = (v0 - along * x) * unit;
      const vy = (v1 - along * y) * unit;
      const vz = (v2 - along * z) * unit;
      vMeanX += vx;
      vMeanY += vy;
      vMeanZ += vz;
      // The eye is at -R^T t.
      for (let axis = 0; axis < 3; axis++) {
        const shift = number(w, 4 * axis + 3);
        grow(camera, 4 * axis, shift * vx);
        grow(camera, 4 * axis + 1, shift * vy);
        grow(camera, 4 * axis + 2, shift * vz);
        grow(camera, 4 * axis + 3, number(w, 4 * axis) * vx + number(w, 4 * axis + 1) * vy + number(w, 4 * axis + 2) * vz);
      }
    }
  }
  putSingle(<usize>word(V_MEANS), 3 * i, vMeanX);
  putSingle(<usize>word(V_MEANS), 3 * i + 1, vMeanY);
  putSingle(<usize>word(V_MEANS), 3 * i + 2, vMeanZ);
}

@inline
function sum(f: usize, index: i32): f64 {
  return single(f + SUMS, index);
}

@inline
function grow(base: usize, index: i32, by: f64): void {
  put(base, index, number(base, index) + by);
}

/** dL/d(quaternion) from dL/d(rotation matrix), through the normalisation. */
function turnBackward(i: i32, f: usize): void {
  const v00 = number(f, V_ROTATION);
  const v01 = number(f, V_ROTATION + 1);
  const v02 = number(f, V_ROTATION + 2);
  const v10 = number(f, V_ROTATION + 3);
  const v11 = number(f, V_ROTATION + 4);
  const v12 = number(f, V_ROTATION + 5);
  const v20 = number(f, V_ROTATION + 6);
  const v21 = number(f, V_ROTATION + 7);
  const v22 = number(f, V_ROTATION + 8);
  const quaternions = <usize>word(QUATERNIONS);
  let w = single(quaternions, 4 * i);
  let x = single(quaternions, 4 * i + 1);
  let y = single(quaternions, 4 * i + 2);
  let z = single(quaternions, 4 * i + 3);
  const unit = 1 / sqrt<f64>(w * w + x * x + y * y + z * z);
  w *= unit;
  x *= unit;
  y *= unit;
  z *= unit;
  const vw = 2 * (x * (v21 - v12) + y * (v02 - v20) + z * (v10 - v01));
  const vx = 2 * (w * (v21 - v12) - 2 * x * (v11 + v22) + y * (v01 + v10) + z * (v02 + v20));
  const vy = 2 * (w * (v02 - v20) + x * (v01 + v10) - 2 * y * (v00 + v22) + z * (v12 + v21));
  const vz = 2 * (w * (v10 - v01) + x * (v02 + v20) + y * (v12 + v21) - 2 * z * (v00 + v11));
  const along = w * vw + x * vx + y * vy + z * vz;
  const target = <usize>word(V_QUATERNIONS);
  putSingle(target, 4 * i, (vw - along * w) * unit);
  putSingle(target, 4 * i + 1, (vx - along * x) * unit);
  putSingle(target, 4 * i + 2, (vy - along * y) * unit);
  putSingle(target, 4 * i + 3, (vz - along * z) * unit);
}
