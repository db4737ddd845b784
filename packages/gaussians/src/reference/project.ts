import { type Camera, cameraPosition } from '@langevin/core';
import type { Gaussians } from '../gaussians.ts';
import { BLUR, FRUSTUM_MARGIN, LEAST_ALPHA, LEAST_COMPENSATION, MOST_REACH, type Settings } from '../settings.ts';
import { harmonics } from './harmonics.ts';
import { add, addInto, apply, dot, multiply, outer, scale, transpose, type Matrix } from './matrices.ts';
import { rotation, rotationBackward, throughNormalisation } from './rotation.ts';

/** What is drawn. */
export interface Scene {
  readonly gaussians: Gaussians<Float64Array>;
  readonly camera: Camera;
  readonly settings: Settings<Float64Array>;
}

/** A Gaussian as the picture sees it. */
export interface Splat {
  readonly index: number;
  /** Along the camera's z. */
  readonly depth: number;
  /** Centre in pixels. */
  readonly mean: readonly [number, number];
  /** Inverse covariance (A, B, C): sigma = (A dx^2 + C dy^2) / 2 + B dx dy. */
  readonly conic: readonly [number, number, number];
  /** After antialiasing. */
  readonly opacity: number;
  /** Colour, then features. */
  readonly channels: readonly number[];
  /** Reach along x or y, whichever is more, in whole pixels. */
  readonly radius: number;
}

/** dL/d({@link Splat}). */
export interface SplatGradient {
  depth: number;
  readonly mean: [number, number];
  readonly conic: [number, number, number];
  opacity: number;
  readonly channels: number[];
  readonly absoluteMean: [number, number];
}

/** Where gradients of the scene are summed. */
export interface SceneGradients {
  readonly means: Float64Array;
  readonly quaternions: Float64Array;
  readonly logScales: Float64Array;
  readonly opacityLogits: Float64Array;
  readonly sh: Float64Array;
  readonly colors?: Float64Array;
  readonly features?: Float64Array;
  readonly worldToCamera: Float64Array;
}

/** What of a Gaussian both directions look at. */
function parts(gaussians: Gaussians<Float64Array>, camera: Camera, index: number) {
  const row = (array: Float64Array, length: number): number[] => [...array.subarray(index * length, (index + 1) * length)];
  const mean = row(gaussians.means, 3);
  const quaternion = row(gaussians.quaternions, 4);
  const scales = row(gaussians.logScales, 3).map(Math.exp);
  const rotated = rotation(quaternion);
  const spread = rotated.map((line) => line.map((value, j) => value * scales[j]!));
  const covariance = multiply(spread, transpose(spread));
  const w = camera.worldToCamera;
  const turn = [0, 1, 2].map((i) => w.slice(4 * i, 4 * i + 3));
  const shift = [0, 1, 2].map((i) => w[4 * i + 3]!);
  const [x, y, z] = apply(turn, mean).map((value, i) => value + shift[i]!) as [number, number, number];
  const slope = linearisation(camera, [x, y, z]);
  const projection = multiply(slope.jacobian, turn);
  const flat = multiply(multiply(projection, covariance), transpose(projection));
  const eye = cameraPosition(camera);
  return {
    mean,
    quaternion,
    scales,
    rotated,
    spread,
    covariance,
    turn,
    shift,
    at: [x, y, z] as const,
    slope,
    projection,
    flat,
    offset: mean.map((value, i) => value - eye[i]!),
  };
}

/** Slopes of the projection at a point, which is first moved to the edge of the widened frustum where it lies beyond. */
function linearisation(
  camera: Camera,
  [x, y, z]: readonly [number, number, number],
): { jacobian: Matrix; horizontal: Clamped; vertical: Clamped } {
  const { kind = 'pinhole', width, height, fx, fy, cx, cy } = camera;
  if (kind === 'orthographic')
    return {
      jacobian: [
        [fx, 0, 0],
        [0, fy, 0],
      ],
      horizontal: { value: 0, inside: false },
      vertical: { value: 0, inside: false },
    };
  const clamped = (ratio: number, [side, focal, centre]: readonly [number, number, number]): Clamped => {
    const margin = (FRUSTUM_MARGIN * side) / (2 * focal);
    const value = Math.min((side - centre) / focal + margin, Math.max(-centre / focal - margin, ratio));
    return { value, inside: value === ratio };
  };
  const horizontal = clamped(x / z, [width, fx, cx]);
  const vertical = clamped(y / z, [height, fy, cy]);
  return {
    jacobian: [
      [fx / z, 0, (-fx * horizontal.value) / z],
      [0, fy / z, (-fy * vertical.value) / z],
    ],
    horizontal,
    vertical,
  };
}

interface Clamped {
  readonly value: number;
  readonly inside: boolean;
}

/** Determinants before and after the blur, and the opacity that is left so that blurring adds no light (Mip-Splatting, eq. 11). */
function compensation(flat: Matrix) {
  const [[xx, xy], [, yy]] = flat as [[number, number], [number, number]];
  const sharp = xx * yy - xy * xy;
  const blurred = (xx + BLUR) * (yy + BLUR) - xy * xy;
  return { xx, xy, yy, sharp, blurred, factor: Math.sqrt(Math.max(LEAST_COMPENSATION ** 2, sharp / blurred)) };
}

const sigmoid = (logit: number): number => 1 / (1 + Math.exp(-logit));

/** The colour channels before they are cut off at 0, [3]. */
function shade({ gaussians, settings: { degree } }: Scene, index: number, offset: readonly number[]) {
  const length = Math.hypot(...offset);
  const basis = harmonics([offset[0]! / length, offset[1]! / length, offset[2]! / length], degree);
  const start = index * (gaussians.sh.length / gaussians.count);
  const coefficient = (k: number, channel: number): number => gaussians.sh[start + 3 * k + channel]!;
  const raw = [0, 1, 2].map((channel) => basis.reduce((sum, { value }, k) => sum + value * coefficient(k, channel), 0.5));
  return { basis, raw, coefficient, start };
}

/**
 * The Gaussian as the camera sees it, or undefined when it is not drawn: behind the near plane, beside the picture, too faint, or not
 * finite.
 */
export function project(scene: Scene, index: number): Splat | undefined {
  const { gaussians, camera, settings } = scene;
  const { at, flat, offset } = parts(gaussians, camera, index);
  const [x, y, z] = at;
  if (!(z >= settings.near)) return undefined;
  const { kind = 'pinhole', width, height, fx, fy, cx, cy } = camera;
  const divisor = kind === 'pinhole' ? z : 1;
  const mean = [(fx * x) / divisor + cx, (fy * y) / divisor + cy] as const;
  const { xx, xy, yy, blurred, factor } = compensation(flat);
  const conic = [(yy + BLUR) / blurred, -xy / blurred, (xx + BLUR) / blurred] as const;
  const opacity = sigmoid(gaussians.opacityLogits[index]!) * (settings.antialiasing === 'mip' ? factor : 1);
  if (
    !(opacity >= (settings.cutoff === 'hard' ? LEAST_ALPHA : LEAST_ALPHA / 2))
    || !(blurred > 0)
    || !(conic[0] > 0)
    || !(conic[2] > 0)
    || ![...mean, ...conic].every(Number.isFinite)
  )
    return undefined;

  const reach = Math.min(MOST_REACH, Math.sqrt(2 * Math.log(Math.max(1, opacity / LEAST_ALPHA))));
  const [reachX, reachY] = [Math.ceil(reach * Math.sqrt(xx + BLUR)), Math.ceil(reach * Math.sqrt(yy + BLUR))];
  // Where the cut-off is smooth it also lies further out, and being beside the picture must not cut it off.
  if (
    settings.cutoff === 'hard'
    && (mean[0] + reachX <= 0 || mean[0] - reachX >= width || mean[1] + reachY <= 0 || mean[1] - reachY >= height)
  )
    return undefined;

  const color =
    settings.colors === undefined
      ? shade(scene, index, offset).raw.map((value) => Math.max(0, value))
      : [...settings.colors.subarray(3 * index, 3 * index + 3)];
  const features = settings.features?.subarray(index * settings.featureChannels, (index + 1) * settings.featureChannels) ?? [];
  const channels = [...color, ...features];
  if (!channels.every(Number.isFinite)) return undefined;
  return { index, depth: z, mean, conic, opacity, channels, radius: Math.max(reachX, reachY) };
}

/** From the gradient of a splat to those of the scene and the camera, by the chain rule. */
export function projectBackward(
  scene: Scene,
  { splat, v }: { readonly splat: Splat; readonly v: SplatGradient },
  into: SceneGradients,
): void {
  const { gaussians, camera, settings } = scene;
  const { index } = splat;
  const { mean, quaternion, scales, rotated, spread, covariance, turn, shift, at, slope, projection, flat, offset } = parts(
    gaussians,
    camera,
    index,
  );
  const [x, y, z] = at;
  const { kind = 'pinhole', fx, fy } = camera;
  const vAt = [0, 0, v.depth];
  let vMean: readonly number[] = [0, 0, 0];
  let vTurn: Matrix = outer([0, 0, 0], [0, 0, 0]);
  let vShift: readonly number[] = [0, 0, 0];

  // Opacity, and what antialiasing makes of it.
  const { xx, xy, yy, sharp, blurred, factor } = compensation(flat);
  const plain = sigmoid(gaussians.opacityLogits[index]!);
  const mip = settings.antialiasing === 'mip';
  into.opacityLogits[index]! += v.opacity * (mip ? factor : 1) * plain * (1 - plain);
  const conic = [
    [splat.conic[0], splat.conic[1]],
    [splat.conic[1], splat.conic[2]],
  ];
  const vConic = [
    [v.conic[0], v.conic[1] / 2],
    [v.conic[1] / 2, v.conic[2]],
  ];
  let vFlat = scale(-1, multiply(multiply(conic, vConic), conic));
  if (mip && factor > LEAST_COMPENSATION) {
    // factor^2 = sharp / blurred; the slope of a determinant is the adjugate.
    const vRatio = (v.opacity * plain) / (2 * factor);
    const adjugate = (grow: number): Matrix => [
      [yy + grow, -xy],
      [-xy, xx + grow],
    ];
    vFlat = add(vFlat, add(scale(vRatio / blurred, adjugate(0)), scale((-vRatio * sharp) / blurred ** 2, adjugate(BLUR))));
  }

  // flat = P covariance P^T with P = J turn.
  const vCovariance = multiply(multiply(transpose(projection), vFlat), projection);
  const vProjection = scale(2, multiply(multiply(vFlat, projection), covariance));
  vTurn = add(vTurn, multiply(transpose(slope.jacobian), vProjection));
  if (kind === 'pinhole') {
    const vJacobian = multiply(vProjection, transpose(turn));
    const { horizontal, vertical } = slope;
    const axes = [
      { axis: 0, focal: fx, where: x, edge: horizontal },
      { axis: 1, focal: fy, where: y, edge: vertical },
    ];
    for (const { axis, focal, where, edge } of axes) {
      const [vFocal, vSlant] = [vJacobian[axis]![axis]!, vJacobian[axis]![2]!];
      vAt[2]! += (-focal * vFocal + focal * edge.value * vSlant) / (z * z);
      const vEdge = (-focal / z) * vSlant;
      if (edge.inside) {
        vAt[axis]! += vEdge / z;
        vAt[2]! -= (vEdge * where) / (z * z);
      }
      // The centre itself is not moved to the edge.
      vAt[axis]! += (focal / z) * v.mean[axis]!;
      vAt[2]! -= ((focal * where) / (z * z)) * v.mean[axis]!;
    }
  } else {
    vAt[0]! += fx * v.mean[0];
    vAt[1]! += fy * v.mean[1];
  }
  vMean = apply(transpose(turn), vAt);
  vTurn = add(vTurn, outer(vAt, mean));
  vShift = [...vAt];

  // covariance = M M^T with M = R diag(s).
  const vSpread = scale(2, multiply(vCovariance, spread));
  addInto(
    into.logScales,
    3 * index,
    scales.map((s, j) => s * dot(transpose(vSpread)[j]!, transpose(rotated)[j]!)),
  );
  addInto(
    into.quaternions,
    4 * index,
    rotationBackward(
      quaternion,
      vSpread.map((line) => line.map((value, j) => value * scales[j]!)),
    ),
  );

  // Colour and features.
  const vColor = v.channels.slice(0, 3);
  if (settings.colors !== undefined) addInto(into.colors!, 3 * index, vColor);
  else {
    const { basis, raw, coefficient, start } = shade(scene, index, offset);
    const vRaw = vColor.map((value, channel) => (raw[channel]! > 0 ? value : 0));
    basis.forEach(({ value }, k) =>
      addInto(
        into.sh,
        start + 3 * k,
        vRaw.map((g) => g * value),
      ),
    );
    const vDirection = [0, 1, 2].map((axis) =>
      basis.reduce(
        (sum, b, k) =>
          sum
          + b.slope[axis]!
            * dot(
              vRaw,
              [0, 1, 2].map((channel) => coefficient(k, channel)),
            ),
        0,
      ),
    );
    const vOffset = throughNormalisation(offset, vDirection);
    vMean = vMean.map((value, i) => value + vOffset[i]!);
    // The eye is at -turn^T shift, so that offset = mean + turn^T shift.
    vTurn = add(vTurn, outer(shift, vOffset));
    vShift = vShift.map((value, i) => value + dot(turn[i]!, vOffset));
  }
  if (into.features !== undefined) addInto(into.features, settings.featureChannels * index, v.channels.slice(3));

  addInto(into.means, 3 * index, vMean);
  [0, 1, 2].forEach((i) => addInto(into.worldToCamera, 4 * i, [...vTurn[i]!, vShift[i]!]));
}
