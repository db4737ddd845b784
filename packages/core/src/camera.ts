import { UserError } from '@langevin/tensor';

/**
 * How a picture sees the world, in OpenCV's axes: x right, y down, z forward. A pinhole at the origin of the camera, or parallel rays.
 */
export interface Camera {
  /** @default 'pinhole' */
  readonly kind?: 'pinhole' | 'orthographic';
  /** Pixels, 1..16384. */
  readonly width: number;
  readonly height: number;
  /** Focal lengths in pixels, > 0; for parallel rays, pixels for a world unit. */
  readonly fx: number;
  readonly fy: number;
  /** Where the axis meets the picture, in pixels; the centre of the first pixel is (0.5, 0.5). */
  readonly cx: number;
  readonly cy: number;
  /** Rows of [R | t], 12 numbers: camera = R world + t. */
  readonly worldToCamera: readonly number[];
}

/** Largest side of a picture. */
export const MAX_SIDE = 16_384;

/** Throws a UserError unless the value is a camera. `where` is "package/part". */
export function checkCamera(where: string, camera: Camera): void {
  const { kind = 'pinhole', width, height, fx, fy, cx, cy, worldToCamera } = camera;
  const demand = (holds: boolean, fault: () => string): void => {
    if (!holds) throw new UserError(`[${where}] this is no camera: ${fault()}`);
  };
  demand(kind === 'pinhole' || kind === 'orthographic', () => `kind=${String(kind)}. Known: pinhole, orthographic.`);
  for (const [name, side] of Object.entries({ width, height }))
    demand(
      Number.isSafeInteger(side) && side >= 1 && side <= MAX_SIDE,
      () => `${name}=${String(side)}. Pass an integer from 1 to ${MAX_SIDE}.`,
    );
  for (const [name, focal] of Object.entries({ fx, fy }))
    demand(Number.isFinite(focal) && focal > 0, () => `${name}=${String(focal)}. Pass a number > 0, in pixels.`);
  for (const [name, centre] of Object.entries({ cx, cy }))
    demand(Number.isFinite(centre), () => `${name}=${String(centre)}. Pass a finite number, in pixels.`);
  demand(
    worldToCamera.length === 12 && worldToCamera.every(Number.isFinite),
    () => `worldToCamera=[${worldToCamera.join(', ')}]. Pass the 12 numbers of the rows of [R | t].`,
  );
}

/** Where the camera is in the world: -R^T t. */
export function cameraPosition({ worldToCamera: w }: Pick<Camera, 'worldToCamera'>): readonly [number, number, number] {
  const at = (column: number): number => 0 - (w[column]! * w[3]! + w[4 + column]! * w[7]! + w[8 + column]! * w[11]!);
  return [at(0), at(1), at(2)];
}

/**
 * The camera at `eye` that looks at `target`, with `up` upwards in the picture.
 * @throws UserError when the view direction is parallel to `up` or has no length
 */
export function lookAt(
  options: Omit<Camera, 'worldToCamera'> & {
    readonly eye: readonly [number, number, number];
    readonly target: readonly [number, number, number];
    /** @default [0, -1, 0], since y points down */ readonly up?: readonly [number, number, number];
  },
): Camera {
  const { eye, target, up = [0, -1, 0], ...rest } = options;
  const forward = unit(subtract(target, eye));
  const right = unit(cross(forward, up));
  const down = cross(forward, right);
  const row = (axis: Vector): number[] => [...axis, -dot(axis, eye)];
  return { ...rest, worldToCamera: [...row(right), ...row(down), ...row(forward)] };
}

type Vector = readonly [number, number, number];

const subtract = (a: Vector, b: Vector): Vector => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
const dot = (a: Vector, b: Vector): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const cross = (a: Vector, b: Vector): Vector => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];

function unit(v: Vector): Vector {
  const length = Math.hypot(...v);
  if (!(length > 1e-12))
    throw new UserError(
      `[core/camera] no direction: eye, target and up leave a vector of length ${length}. Move the target off the eye, and `
        + 'the view off the direction of up.',
    );
  return [v[0] / length, v[1] / length, v[2] / length];
}
