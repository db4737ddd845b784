import type { Gaussians } from '../gaussians.ts';
import { LEAST_ALPHA, LEAST_COMPENSATION, BLUR, MOST_REACH, type Settings } from '../settings.ts';
import { basis } from './harmonics.ts';
import { POWER, RECORD_HEAD } from './layout.ts';
import { flatten, footprint, place, type Lens } from './lens.ts';

/** Gaussians that are drawn, in the order of their rows. */
export interface Visible {
  count: number;
  readonly ids: Uint32Array;
  /** Bits of the depths as float32, which sort like the depths. */
  readonly keys: Uint32Array;
}

/**
 * Writes the records of all Gaussians that the camera sees, `stride` numbers each, and their reach in whole pixels to `radii` (0 for the
 * others). What is not finite is not seen.
 */
export function projectAll(gaussians: Gaussians, lens: Lens, settings: Settings<Float32Array>, records: Float32Array, stride: number, radii: Float32Array, visible: Visible): void {
  const { count, means, quaternions, logScales, opacityLogits, sh } = gaussians;
  const { degree, colors, features, featureChannels, near } = settings;
  const { pinhole, width, height, fx, fy, cx, cy, w } = lens;
  const mip = settings.antialiasing === 'mip';
  const withDepth = settings.depth !== 'none';
  const f = footprint();
  const values = new Float64Array(16);
  const coefficients = (degree + 1) ** 2;
  const row = 3 * (gaussians.degree + 1) ** 2;
  const eyeX = -(w[0]! * w[3]! + w[4]! * w[7]! + w[8]! * w[11]!);
  const eyeY = -(w[1]! * w[3]! + w[5]! * w[7]! + w[9]! * w[11]!);
  const eyeZ = -(w[2]! * w[3]! + w[6]! * w[7]! + w[10]! * w[11]!);
  const bits = new DataView(new ArrayBuffer(4));
  let seen = 0;
  for (let i = 0; i < count; i++) {
    place(f, lens, means, i);
    if (!(f.z >= near)) continue;
    const logit = opacityLogits[i]!;
    let opacity = 1 / (1 + Math.exp(-logit));
    if (!(opacity >= LEAST_ALPHA)) continue;
    flatten(f, lens, quaternions, logScales, i);
    if (mip) opacity *= Math.max(LEAST_COMPENSATION, Math.sqrt(f.sharp / f.blurred));
    if (!(opacity >= LEAST_ALPHA)) continue;
    const divisor = pinhole ? f.z : 1;
    const mx = (fx * f.x) / divisor + cx;
    const my = (fy * f.y) / divisor + cy;
    const inverse = 1 / f.blurred;
    const reach = Math.min(MOST_REACH, Math.sqrt(2 * Math.log(opacity / LEAST_ALPHA)));
    const rx = reach * Math.sqrt(f.xx + BLUR);
    const ry = reach * Math.sqrt(f.yy + BLUR);
    // Not finite, or beyond what float32 holds, fails here.
    if (!(rx < 1e9 && ry < 1e9 && Math.abs(mx) < 1e9 && Math.abs(my) < 1e9 && inverse > 0)) continue;
    const wholeX = Math.ceil(rx);
    const wholeY = Math.ceil(ry);
    if (mx + wholeX <= 0 || mx - wholeX >= width || my + wholeY <= 0 || my - wholeY >= height) continue;

    const at = i * stride;
    const value = at + RECORD_HEAD;
    if (colors !== undefined) {
      for (let k = 0; k < 3; k++) records[value + k] = colors[3 * i + k]!;
    } else {
      const dx = means[3 * i]! - eyeX;
      const dy = means[3 * i + 1]! - eyeY;
      const dz = means[3 * i + 2]! - eyeZ;
      const unit = 1 / Math.sqrt(dx * dx + dy * dy + dz * dz);
      basis(values, degree, dx * unit, dy * unit, dz * unit);
      let red = 0.5;
      let green = 0.5;
      let blue = 0.5;
      for (let k = 0, from = i * row; k < coefficients; k++, from += 3) {
        const factor = values[k]!;
        red += factor * sh[from]!;
        green += factor * sh[from + 1]!;
        blue += factor * sh[from + 2]!;
      }
      records[value] = Math.max(0, red);
      records[value + 1] = Math.max(0, green);
      records[value + 2] = Math.max(0, blue);
    }
    let finite = Number.isFinite(records[value]! + records[value + 1]! + records[value + 2]!);
    for (let k = 0; k < featureChannels; k++) {
      const feature = features![i * featureChannels + k]!;
      records[value + 3 + k] = feature;
      finite &&= Number.isFinite(feature);
    }
    if (!finite) continue;
    if (withDepth) records[value + 3 + featureChannels] = f.z;
    records[at] = mx;
    records[at + 1] = my;
    records[at + 2] = -0.5 * POWER * (f.yy + BLUR) * inverse;
    records[at + 3] = POWER * f.xy * inverse;
    records[at + 4] = -0.5 * POWER * (f.xx + BLUR) * inverse;
    records[at + 5] = Math.log2(opacity) / 8;
    // A little more than the reach, for what rounding does to the centre; the kernels decide by alpha.
    records[at + 6] = rx + 0.01;
    records[at + 7] = ry + 0.01;
    radii[i] = Math.max(wholeX, wholeY);
    bits.setFloat32(0, f.z);
    visible.ids[seen] = i;
    visible.keys[seen] = bits.getUint32(0);
    seen++;
  }
  visible.count = seen;
}
