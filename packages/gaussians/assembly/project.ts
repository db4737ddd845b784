import { basis, shade } from './harmonics';
import {
  A,
  C,
  CHUNK,
  CHUNK_COUNTS,
  COLORS,
  COUNT,
  CX,
  CY,
  DEGREE,
  DEPTH,
  EYE,
  FALL,
  FEATURE_CHANNELS,
  FEATURES,
  FX,
  FY,
  HALF,
  HEIGHT,
  INVERSE,
  KEYS,
  L,
  LENS,
  LOGITS,
  LOWEST,
  M,
  MARGIN,
  MEANS,
  MIP,
  MX,
  MY,
  NEAR,
  number,
  PAIR_COUNTS,
  PINHOLE,
  RADII,
  REACH,
  RECORD_STRIDE,
  RECORDS,
  SH,
  SH_ROW,
  single,
  SPANS,
  TILE,
  VALUES,
  WIDTH,
  word,
} from './layout';
import { BLUR, BLURRED, flatten, LEAST_COMPENSATION, place, SHARP, X, XX, XY, Y, YY, Z } from './lens';

const LEAST_ALPHA: f64 = 1.0 / 255.0;
const MOST_REACH: f64 = 3.33;
/** log(255) */
const STEPS: f64 = 5.541263545158426;
/** log2(e) */
export const POWER: f64 = 1.4426950408889634;
/** Beyond this a number is of no use in float32. */
const FAR: f64 = 1e9;

/** Writes records, reach, tiles and depth of the Gaussians of a chunk that the camera sees. What is not finite is not seen. */
export function projectChunk(chunk: i32, scratch: usize): void {
  const last = min(word(COUNT), (chunk + 1) * CHUNK);
  const pairCounts = <usize>word(PAIR_COUNTS);
  const counts = <usize>word(CHUNK_COUNTS) + ((<usize>chunk) << 3);
  let pairs: u32 = 0;
  let rows: u32 = 0;
  for (let i = chunk * CHUNK; i < last; i++) {
    let reached: u32 = 0;
    const ry = project(i, scratch);
    if (ry >= 0) {
      reached = reach(i, ry);
      const span = <usize>word(SPANS) + ((<usize>i) << 3);
      pairs += reached;
      if (reached != 0) rows += <u32>load<u16>(span, 6) - <u32>load<u16>(span, 4) + 1;
    } else {
      store<f32>(<usize>word(RADII) + ((<usize>i) << 2), 0);
    }
    store<u32>(pairCounts + ((<usize>i) << 2), reached);
  }
  store<u32>(counts, pairs);
  store<u32>(counts, rows, 4);
}

/** Notes which tiles the rectangle of a Gaussian reaches, by the centres of their pixels; returns how many. */
function reach(i: i32, ry: f64): u32 {
  const record = <usize>word(RECORDS) + <usize>i * <usize>word(RECORD_STRIDE);
  const mx = <f64>load<f32>(record, MX) - 0.5;
  const my = <f64>load<f32>(record, MY) - 0.5;
  const rx = <f64>load<f32>(record, REACH);
  const left = max<f64>(0, ceil<f64>(mx - rx));
  const right = min<f64>(<f64>(word(WIDTH) - 1), floor<f64>(mx + rx));
  const top = max<f64>(0, ceil<f64>(my - ry));
  const bottom = min<f64>(<f64>(word(HEIGHT) - 1), floor<f64>(my + ry));
  if (left > right || top > bottom) return 0;
  const span = <usize>word(SPANS) + ((<usize>i) << 3);
  const first = <i32>left / TILE;
  const last = <i32>right / TILE;
  const firstRow = <i32>top / TILE;
  const lastRow = <i32>bottom / TILE;
  store<u16>(span, <u16>first);
  store<u16>(span, <u16>last, 2);
  store<u16>(span, <u16>firstRow, 4);
  store<u16>(span, <u16>lastRow, 6);
  return <u32>((last - first + 1) * (lastRow - firstRow + 1));
}

/** Returns how far the Gaussian reaches down, or -1 when it is not seen. */
function project(i: i32, f: usize): f64 {
  const w = <usize>word(LENS);
  const means = <usize>word(MEANS);
  place(f, w, means, i);
  const z = number(f, Z);
  if (!(z >= number(w, NEAR))) return -1;
  let opacity = 1 / (1 + Math.exp(-single(<usize>word(LOGITS), i)));
  if (!(opacity >= LEAST_ALPHA)) return -1;
  flatten(f, w, i);
  const inverse = 1 / number(f, BLURRED);
  if (word(MIP) != 0) opacity *= max<f64>(LEAST_COMPENSATION, sqrt<f64>(number(f, SHARP) * inverse));
  if (!(opacity >= LEAST_ALPHA)) return -1;
  const divisor: f64 = word(PINHOLE) != 0 ? z : 1;
  const mx = (number(w, FX) * number(f, X)) / divisor + number(w, CX);
  const my = (number(w, FY) * number(f, Y)) / divisor + number(w, CY);
  const logarithm = Math.log(opacity);
  const reach = min<f64>(MOST_REACH, sqrt<f64>(2 * max<f64>(0, logarithm + STEPS)));
  const xx = number(f, XX) + BLUR;
  const yy = number(f, YY) + BLUR;
  const deviationX = sqrt<f64>(xx);
  const deviationY = sqrt<f64>(yy);
  const rx = reach * deviationX;
  const ry = reach * deviationY;
  if (!(rx < FAR && ry < FAR && abs<f64>(mx) < FAR && abs<f64>(my) < FAR && inverse > 0)) return -1;
  const wholeX = ceil<f64>(rx);
  const wholeY = ceil<f64>(ry);
  if (mx + wholeX <= 0 || mx - wholeX >= <f64>word(WIDTH) || my + wholeY <= 0 || my - wholeY >= <f64>word(HEIGHT)) return -1;

  const record = <usize>word(RECORDS) + <usize>i * <usize>word(RECORD_STRIDE);
  const colors = <usize>word(COLORS);
  if (colors != 0) {
    for (let k = 0; k < 3; k++) store<f32>(record + ((<usize>k) << 2), load<f32>(colors + ((<usize>(3 * i + k)) << 2)), VALUES);
  } else {
    const dx = single(means, 3 * i) - number(w, EYE);
    const dy = single(means, 3 * i + 1) - number(w, EYE + 1);
    const dz = single(means, 3 * i + 2) - number(w, EYE + 2);
    const unit = 1 / sqrt<f64>(dx * dx + dy * dy + dz * dz);
    const degree = word(DEGREE);
    basis(f, degree, dx * unit, dy * unit, dz * unit);
    const row = <usize>word(SH) + ((<usize>i * <usize>word(SH_ROW)) << 2);
    const coefficients = (degree + 1) * (degree + 1);
    for (let k = 0; k < 3; k++)
      store<f32>(record + ((<usize>k) << 2), <f32>max<f64>(0, shade(f, row + ((<usize>k) << 2), coefficients)), VALUES);
  }
  const features = word(FEATURE_CHANNELS);
  for (let k = 0; k < features; k++)
    store<f32>(record + 12 + ((<usize>k) << 2), load<f32>(<usize>word(FEATURES) + ((<usize>(i * features + k)) << 2)), VALUES);
  for (let k = 0; k < 3 + features; k++) {
    const value = load<f32>(record + ((<usize>k) << 2), VALUES);
    if (!(abs<f32>(value) < Infinity)) return -1;
  }
  if (word(DEPTH) != 0) store<f32>(record + 12 + ((<usize>features) << 2), <f32>z, VALUES);
  // What y is for a given x: a normal distribution about slope * x.
  const slope = number(f, XY) / xx;
  const c = -0.5 * POWER * xx * inverse;
  const half = reach / (deviationX * sqrt<f64>(inverse));
  store<f32>(record, <f32>mx, MX);
  store<f32>(record, <f32>my, MY);
  store<f32>(record, <f32>((-0.5 * POWER) / xx), A);
  store<f32>(record, <f32>c, C);
  store<f32>(record, <f32>slope, M);
  store<f32>(record, <f32>(POWER * logarithm), L);
  store<f32>(record, <f32>Math.exp(c * (2 / POWER)), FALL);
  // A little more than the reach, for what rounding does; alpha decides.
  store<f32>(record, <f32>(rx + 0.01), REACH);
  store<f32>(record, <f32>(1 / (rx + 0.01)), INVERSE);
  store<f32>(record, <f32>half, HALF);
  store<f32>(record, <f32>((reach * number(f, XY)) / deviationY), LOWEST);
  store<f32>(record, <f32>(0.01 + 1e-3 * half + 1e-6 * ry), MARGIN);
  store<f32>(<usize>word(RADII) + ((<usize>i) << 2), <f32>max<f64>(wholeX, wholeY));
  store<f32>(<usize>word(KEYS) + ((<usize>i) << 2), <f32>z);
  return ry + 0.01;
}
