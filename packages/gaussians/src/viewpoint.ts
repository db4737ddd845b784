import { type Camera, lookAt } from '@langevin/core';
import { logistic, UserError } from '@langevin/tensor';
import type { Gaussians } from './gaussians.ts';

type Vector = readonly [number, number, number];

/** Where a scene is: what most of its Gaussians that can be seen lie in. */
export interface SceneBounds {
  readonly centre: Vector;
  /** Nine tenths of them lie within. */
  readonly radius: number;
}

/**
 * Medians of the centres of the Gaussians of opacity above 0.1, and the distance within which nine tenths of them lie; stray ones do not
 * matter.
 */
export function sceneBounds({ count, means, opacityLogits }: Gaussians): SceneBounds {
  let rows = Array.from({ length: count }, (_, row) => row).filter((row) => logistic(opacityLogits[row]!) > 0.1);
  if (rows.length === 0) rows = Array.from({ length: count }, (_, row) => row);
  if (rows.length === 0) return { centre: [0, 0, 0], radius: 1 };
  const quantile = (values: number[], share: number): number =>
    values.sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(share * values.length))]!;
  const [x, y, z] = [0, 1, 2].map((axis) =>
    quantile(
      rows.map((row) => means[3 * row + axis]!),
      0.5,
    ),
  ) as unknown as Vector;
  const radius = quantile(
    rows.map((row) => Math.hypot(means[3 * row]! - x, means[3 * row + 1]! - y, means[3 * row + 2]! - z)),
    0.9,
  );
  return { centre: [x, y, z], radius: radius > 1e-9 ? radius : 1 };
}

export interface TurntableOptions {
  /** Views of a whole turn, 1..1000. */
  readonly frames: number;
  readonly width: number;
  readonly height: number;
  /** Across the smaller side, in degrees. @default 50 */
  readonly fieldOfView?: number;
  /** Degrees above the horizon, -89..89. @default 20 */
  readonly elevation?: number;
  /** Which way is up. @default [0, -1, 0], since y points down */
  readonly up?: Vector;
  /** From the centre, in radii of the scene. @default so that the radius fills the smaller side */
  readonly distance?: number;
}

/**
 * Cameras on a circle around a scene, which all look at its centre.
 *
 * @throws UserError when an option is out of range
 * @example
 * const gaussians = gaussiansFromPoints({
 *   count: 2,
 *   positions: Float32Array.of(-1, 0, 0, 1, 0, 0),
 *   colors: Uint8Array.of(255, 80, 0, 0, 80, 255),
 * });
 * const [first] = turntable(sceneBounds(gaussians), { frames: 60, width: 512, height: 512 });
 * first?.width; // => 512
 */
export function turntable({ centre, radius }: SceneBounds, options: TurntableOptions): readonly Camera[] {
  const { frames, width, height, fieldOfView = 50, elevation = 20, up = [0, -1, 0] } = options;
  if (!Number.isSafeInteger(frames) || frames < 1 || frames > 1000)
    throw new UserError(`[gaussians/turntable] frames=${frames} must be an integer from 1 to 1000.`);
  if (!(fieldOfView > 0 && fieldOfView < 170))
    throw new UserError(`[gaussians/turntable] fieldOfView=${fieldOfView} must lie between 0 and 170 degrees.`);
  if (!(Math.abs(elevation) <= 89))
    throw new UserError(`[gaussians/turntable] elevation=${elevation} must lie between -89 and 89 degrees.`);
  const half = (fieldOfView * Math.PI) / 360;
  const focal = Math.min(width, height) / 2 / Math.tan(half);
  const away = radius * (options.distance ?? 1 / Math.sin(half));
  const length = Math.hypot(...up);
  if (!(length > 0 && length < Infinity)) throw new UserError(`[gaussians/turntable] up=[${up.join(', ')}] is no direction.`);
  const axis = up.map((value) => value / length) as unknown as Vector;
  // Any direction that is not up, made level.
  const seed: Vector = Math.abs(axis[2]) < 0.9 ? [0, 0, -1] : [1, 0, 0];
  const along = axis[0] * seed[0] + axis[1] * seed[1] + axis[2] * seed[2];
  const level = seed.map((value, i) => value - along * axis[i]!);
  const levelLength = Math.hypot(...level);
  const front = level.map((value) => value / levelLength) as unknown as Vector;
  const side: Vector = [
    axis[1] * front[2] - axis[2] * front[1],
    axis[2] * front[0] - axis[0] * front[2],
    axis[0] * front[1] - axis[1] * front[0],
  ];
  const rise = (elevation * Math.PI) / 180;
  return Array.from({ length: frames }, (_, frame) => {
    const turn = (2 * Math.PI * frame) / frames;
    const eye = [0, 1, 2].map(
      (i) => centre[i]! + away * (Math.cos(rise) * (Math.cos(turn) * front[i]! + Math.sin(turn) * side[i]!) + Math.sin(rise) * axis[i]!),
    ) as unknown as Vector;
    return lookAt({ width, height, fx: focal, fy: focal, cx: width / 2, cy: height / 2, eye, target: centre, up: axis });
  });
}
