import type { Gaussians } from '../gaussians.ts';
import type { RenderGradients } from '../rasterizer.ts';
import { BLUR, LEAST_COMPENSATION, type Settings } from '../settings.ts';
import { basis, basisBackward } from './harmonics.ts';
import { POWER, ROW_HEAD } from './layout.ts';
import { flatten, footprint, place, type Lens } from './lens.ts';

/**
 * From the sums of each Gaussian's pixels (`rows`, `stride` numbers each, see assembly/backward.ts) to the gradients of the scene, which are
 * written where a Gaussian was drawn, and of the camera.
 */
export function projectBackward(gaussians: Gaussians, lens: Lens, settings: Settings<Float32Array>, rows: Float64Array, stride: number, into: RenderGradients): void {
  const { count, means, quaternions, logScales, opacityLogits, sh } = gaussians;
  const { degree, colors, features, featureChannels } = settings;
  const { pinhole, fx, fy, w } = lens;
  const mip = settings.antialiasing === 'mip';
  const withDepth = settings.depth !== 'none';
  const used = ROW_HEAD + 3 + featureChannels + (withDepth ? 1 : 0);
  const f = footprint();
  const { rotation: r, scales, slope, spread } = f;
  const values = new Float64Array(16);
  const weights = new Float64Array(16);
  const vDirection = new Float64Array(3);
  const vSpread = new Float64Array(6);
  const vSlope = new Float64Array(6);
  const vR = new Float64Array(9);
  const vCamera = new Float64Array(12);
  const coefficients = (degree + 1) ** 2;
  const row = 3 * (gaussians.degree + 1) ** 2;
  const eyeX = -(w[0]! * w[3]! + w[4]! * w[7]! + w[8]! * w[11]!);
  const eyeY = -(w[1]! * w[3]! + w[5]! * w[7]! + w[9]! * w[11]!);
  const eyeZ = -(w[2]! * w[3]! + w[6]! * w[7]! + w[10]! * w[11]!);

  for (let i = 0; i < count; i++) {
    const at = i * stride;
    let some = false;
    for (let k = 0; k < used; k++) some ||= rows[at + k] !== 0;
    if (!some) continue;
    place(f, lens, means, i);
    flatten(f, lens, quaternions, logScales, i);

    // The pixels' sums: everything in terms of sigma, whose gradient is -g.
    const inverse = 1 / f.blurred;
    const a = (f.yy + BLUR) * inverse;
    const b = -f.xy * inverse;
    const c = (f.xx + BLUR) * inverse;
    const plain = 1 / (1 + Math.exp(-opacityLogits[i]!));
    const ratio = Math.sqrt(f.sharp * inverse);
    const compensation = mip ? Math.max(LEAST_COMPENSATION, ratio) : 1;
    const vOpacity = rows[at]! / (plain * compensation);
    const vX = -(a * rows[at + 1]! + b * rows[at + 2]!);
    const vY = -(b * rows[at + 1]! + c * rows[at + 2]!);
    const va = -0.5 * rows[at + 3]!;
    const vb = -0.5 * rows[at + 4]!;
    const vc = -0.5 * rows[at + 5]!;
    into.means2d[2 * i] = vX;
    into.means2d[2 * i + 1] = vY;
    into.absoluteMeans2d[2 * i] = rows[at + 6]! / POWER;
    into.absoluteMeans2d[2 * i + 1] = rows[at + 7]! / POWER;
    into.opacityLogits[i] = vOpacity * compensation * plain * (1 - plain);

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
      const vBlurred = -vSharp * f.sharp * inverse;
      gxx += vSharp * f.yy + vBlurred * (f.yy + BLUR);
      gxy -= (vSharp + vBlurred) * f.xy;
      gyy += vSharp * f.xx + vBlurred * (f.xx + BLUR);
    }

    // Through spread = slope * rotation * scales.
    for (let j = 0; j < 3; j++) {
      const v0 = 2 * (gxx * spread[j]! + gxy * spread[3 + j]!);
      const v1 = 2 * (gxy * spread[j]! + gyy * spread[3 + j]!);
      into.logScales[3 * i + j] = v0 * spread[j]! + v1 * spread[3 + j]!;
      vSpread[j] = v0 * scales[j]!;
      vSpread[3 + j] = v1 * scales[j]!;
    }
    for (let k = 0; k < 3; k++) {
      for (let j = 0; j < 3; j++) vR[3 * k + j] = slope[k]! * vSpread[j]! + slope[3 + k]! * vSpread[3 + j]!;
      vSlope[k] = vSpread[0]! * r[3 * k]! + vSpread[1]! * r[3 * k + 1]! + vSpread[2]! * r[3 * k + 2]!;
      vSlope[3 + k] = vSpread[3]! * r[3 * k]! + vSpread[4]! * r[3 * k + 1]! + vSpread[5]! * r[3 * k + 2]!;
    }
    turnBackward(into.quaternions, quaternions, i, vR);

    // Through the projection to the place in camera axes.
    let vPlaceX = fx * vX;
    let vPlaceY = fy * vY;
    let vPlaceZ = withDepth ? rows[at + used - 1]! : 0;
    let j00 = fx;
    let j02 = 0;
    let j11 = fy;
    let j12 = 0;
    if (pinhole) {
      const over = 1 / f.z;
      j00 = fx * over;
      j02 = -j00 * f.u;
      j11 = fy * over;
      j12 = -j11 * f.v;
      const vJ00 = vSlope[0]! * w[0]! + vSlope[1]! * w[1]! + vSlope[2]! * w[2]!;
      const vJ02 = vSlope[0]! * w[8]! + vSlope[1]! * w[9]! + vSlope[2]! * w[10]!;
      const vJ11 = vSlope[3]! * w[4]! + vSlope[4]! * w[5]! + vSlope[5]! * w[6]!;
      const vJ12 = vSlope[3]! * w[8]! + vSlope[4]! * w[9]! + vSlope[5]! * w[10]!;
      vPlaceX *= over;
      vPlaceY *= over;
      vPlaceZ -= over * (f.x * vPlaceX + f.y * vPlaceY);
      vPlaceZ -= over * (j00 * vJ00 + j11 * vJ11 + j02 * vJ02 + j12 * vJ12);
      // Beyond the margin the slope stays that of the margin.
      if (f.u === f.x * over) {
        vPlaceX -= over * j00 * vJ02;
        vPlaceZ += over * j00 * f.u * vJ02;
      }
      if (f.v === f.y * over) {
        vPlaceY -= over * j11 * vJ12;
        vPlaceZ += over * j11 * f.v * vJ12;
      }
    }
    const mx = means[3 * i]!;
    const my = means[3 * i + 1]!;
    const mz = means[3 * i + 2]!;
    let vMeanX = w[0]! * vPlaceX + w[4]! * vPlaceY + w[8]! * vPlaceZ;
    let vMeanY = w[1]! * vPlaceX + w[5]! * vPlaceY + w[9]! * vPlaceZ;
    let vMeanZ = w[2]! * vPlaceX + w[6]! * vPlaceY + w[10]! * vPlaceZ;
    vCamera[0]! += vPlaceX * mx + j00 * vSlope[0]!;
    vCamera[1]! += vPlaceX * my + j00 * vSlope[1]!;
    vCamera[2]! += vPlaceX * mz + j00 * vSlope[2]!;
    vCamera[3]! += vPlaceX;
    vCamera[4]! += vPlaceY * mx + j11 * vSlope[3]!;
    vCamera[5]! += vPlaceY * my + j11 * vSlope[4]!;
    vCamera[6]! += vPlaceY * mz + j11 * vSlope[5]!;
    vCamera[7]! += vPlaceY;
    vCamera[8]! += vPlaceZ * mx + j02 * vSlope[0]! + j12 * vSlope[3]!;
    vCamera[9]! += vPlaceZ * my + j02 * vSlope[1]! + j12 * vSlope[4]!;
    vCamera[10]! += vPlaceZ * mz + j02 * vSlope[2]! + j12 * vSlope[5]!;
    vCamera[11]! += vPlaceZ;

    // Colour and features.
    let vRed = rows[at + ROW_HEAD]!;
    let vGreen = rows[at + ROW_HEAD + 1]!;
    let vBlue = rows[at + ROW_HEAD + 2]!;
    if (features !== undefined) for (let k = 0; k < featureChannels; k++) into.features![i * featureChannels + k] = rows[at + ROW_HEAD + 3 + k]!;
    if (colors !== undefined) {
      into.colors![3 * i] = vRed;
      into.colors![3 * i + 1] = vGreen;
      into.colors![3 * i + 2] = vBlue;
    } else {
      const dx = mx - eyeX;
      const dy = my - eyeY;
      const dz = mz - eyeZ;
      const unit = 1 / Math.sqrt(dx * dx + dy * dy + dz * dz);
      const x = dx * unit;
      const y = dy * unit;
      const z = dz * unit;
      basis(values, degree, x, y, z);
      const start = i * row;
      let red = 0.5;
      let green = 0.5;
      let blue = 0.5;
      for (let k = 0, from = start; k < coefficients; k++, from += 3) {
        const factor = values[k]!;
        red += factor * sh[from]!;
        green += factor * sh[from + 1]!;
        blue += factor * sh[from + 2]!;
      }
      if (!(red > 0)) vRed = 0;
      if (!(green > 0)) vGreen = 0;
      if (!(blue > 0)) vBlue = 0;
      for (let k = 0, from = start; k < coefficients; k++, from += 3) {
        const factor = values[k]!;
        weights[k] = vRed * sh[from]! + vGreen * sh[from + 1]! + vBlue * sh[from + 2]!;
        into.sh[from] = factor * vRed;
        into.sh[from + 1] = factor * vGreen;
        into.sh[from + 2] = factor * vBlue;
      }
      if (degree > 0) {
        basisBackward(vDirection, degree, x, y, z, weights);
        const along = x * vDirection[0]! + y * vDirection[1]! + z * vDirection[2]!;
        const vx = (vDirection[0]! - along * x) * unit;
        const vy = (vDirection[1]! - along * y) * unit;
        const vz = (vDirection[2]! - along * z) * unit;
        vMeanX += vx;
        vMeanY += vy;
        vMeanZ += vz;
        // The eye is at -R^T t.
        for (let axis = 0; axis < 3; axis++) {
          const shift = w[4 * axis + 3]!;
          vCamera[4 * axis]! += shift * vx;
          vCamera[4 * axis + 1]! += shift * vy;
          vCamera[4 * axis + 2]! += shift * vz;
          vCamera[4 * axis + 3]! += w[4 * axis]! * vx + w[4 * axis + 1]! * vy + w[4 * axis + 2]! * vz;
        }
      }
    }
    into.means[3 * i] = vMeanX;
    into.means[3 * i + 1] = vMeanY;
    into.means[3 * i + 2] = vMeanZ;
  }
  into.worldToCamera.set(vCamera);
}

/** dL/d(quaternion) from dL/d(rotation matrix), through the normalisation. */
function turnBackward(into: Float32Array, quaternions: Float32Array, i: number, v: Float64Array): void {
  const v00 = v[0]!;
  const v01 = v[1]!;
  const v02 = v[2]!;
  const v10 = v[3]!;
  const v11 = v[4]!;
  const v12 = v[5]!;
  const v20 = v[6]!;
  const v21 = v[7]!;
  const v22 = v[8]!;
  let w = quaternions[4 * i]!;
  let x = quaternions[4 * i + 1]!;
  let y = quaternions[4 * i + 2]!;
  let z = quaternions[4 * i + 3]!;
  const unit = 1 / Math.sqrt(w * w + x * x + y * y + z * z);
  w *= unit;
  x *= unit;
  y *= unit;
  z *= unit;
  const vw = 2 * (x * (v21 - v12) + y * (v02 - v20) + z * (v10 - v01));
  const vx = 2 * (w * (v21 - v12) - 2 * x * (v11 + v22) + y * (v01 + v10) + z * (v02 + v20));
  const vy = 2 * (w * (v02 - v20) + x * (v01 + v10) - 2 * y * (v00 + v22) + z * (v12 + v21));
  const vz = 2 * (w * (v10 - v01) + x * (v02 + v20) + y * (v12 + v21) - 2 * z * (v00 + v11));
  const along = w * vw + x * vx + y * vy + z * vz;
  into[4 * i] = (vw - along * w) * unit;
  into[4 * i + 1] = (vx - along * x) * unit;
  into[4 * i + 2] = (vy - along * y) * unit;
  into[4 * i + 3] = (vz - along * z) * unit;
}
