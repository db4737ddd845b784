import { MAX_SIDE } from '@langevin/core';
import { UnsupportedError, UserError } from '@langevin/tensor';
import type { LensCamera } from '../lens.ts';
import type { LeftOutView, SourcePoints } from '../source.ts';

/** The files of a model; points may be missing. */
export interface ColmapFiles<T> {
  readonly cameras: T;
  readonly images: T;
  readonly points?: T;
}

/** A COLMAP reconstruction: lenses, where each photograph was taken, and sparse points. */
export interface ColmapModel {
  /** Those that can be used. */
  readonly cameras: ReadonlyMap<number, LensCamera>;
  readonly images: readonly ColmapImage[];
  /** Images whose pose or camera is not a number. */
  readonly leftOut: readonly LeftOutView[];
  readonly points: SourcePoints;
}

export interface ColmapImage {
  readonly name: string;
  readonly cameraId: number;
  /** Rows of [R | t], 12 numbers: camera = R world + t. */
  readonly worldToCamera: readonly number[];
}

/** What the files say of an image, before it is judged. */
export interface ImageRecord {
  readonly name: string;
  readonly cameraId: number;
  /** COLMAP's rotation (w, x, y, z). */
  readonly rotation: readonly number[];
  readonly translation: readonly number[];
}

/** A lens, or why there is none: a fault counts only where an image uses the camera. */
export type CameraRecord = LensCamera | UserError | UnsupportedError;

/** COLMAP's models by number, with how many parameters each has, so that one that is not read can be named and stepped over. */
const MODELS = [
  ['SIMPLE_PINHOLE', 3],
  ['PINHOLE', 4],
  ['SIMPLE_RADIAL', 4],
  ['RADIAL', 5],
  ['OPENCV', 8],
  ['OPENCV_FISHEYE', 8],
  ['FULL_OPENCV', 12],
  ['FOV', 5],
  ['SIMPLE_RADIAL_FISHEYE', 4],
  ['RADIAL_FISHEYE', 5],
  ['THIN_PRISM_FISHEYE', 12],
  ['RAD_TAN_THIN_PRISM_FISHEYE', 16],
] as const;

/** Names of the parameters in COLMAP's order, of the models that are read. */
const PARAMETERS: Readonly<Record<string, readonly string[]>> = {
  SIMPLE_PINHOLE: ['f', 'cx', 'cy'],
  PINHOLE: ['fx', 'fy', 'cx', 'cy'],
  SIMPLE_RADIAL: ['f', 'cx', 'cy', 'k1'],
  RADIAL: ['f', 'cx', 'cy', 'k1', 'k2'],
  OPENCV: ['fx', 'fy', 'cx', 'cy', 'k1', 'k2', 'p1', 'p2'],
};

/** Name and number of parameters of a model. @throws UnsupportedError for numbers that COLMAP gives to none known here */
export function modelNumbered(id: number, label: string): { readonly name: string; readonly parameters: number } {
  const found = MODELS[id];
  if (found === undefined) throw modelNotRead(`number ${id}`, label);
  return { name: found[0], parameters: found[1] };
}

function modelNotRead(model: string, label: string): UnsupportedError {
  return new UnsupportedError(
    `[gaussians/colmap] camera model is not read: model=${model}, file=${label}. Read are ${Object.keys(PARAMETERS).join(', ')}; run `
      + '"colmap image_undistorter" first.',
  );
}

/** The lens of a camera, or what is wrong with it. */
export function cameraRecord(
  given: { readonly width: number; readonly height: number; readonly model: string; readonly values: readonly number[] },
  label: string,
): CameraRecord {
  const { width, height, model, values } = given;
  const names = Object.hasOwn(PARAMETERS, model) ? PARAMETERS[model]! : undefined;
  if (names === undefined) return modelNotRead(model, label);
  if (values.length !== names.length)
    return new UserError(
      `[gaussians/colmap] camera has another number of parameters: ${model} has ${names.length} (${names.join(', ')}), found `
        + `${values.length}, ${label}. Export the model again.`,
    );
  for (const [name, side] of Object.entries({ width, height })) {
    if (!Number.isSafeInteger(side) || side < 1 || side > MAX_SIDE)
      return new UserError(`[gaussians/colmap] camera of impossible size: ${name}=${side}, file=${label}. Sizes are 1 to ${MAX_SIDE}.`);
  }
  const get = (name: string): number | undefined => values[names.indexOf(name)];
  const camera = {
    width,
    height,
    fx: get('fx') ?? get('f')!,
    fy: get('fy') ?? get('f')!,
    cx: get('cx')!,
    cy: get('cy')!,
    k1: get('k1') ?? 0,
    k2: get('k2') ?? 0,
    p1: get('p1') ?? 0,
    p2: get('p2') ?? 0,
  };
  if (Object.values(camera).every(Number.isFinite) && camera.fx > 0 && camera.fy > 0) return camera;
  return new UserError(
    `[gaussians/colmap] camera has impossible numbers: ${names.map((name, i) => `${name}=${values[i]}`).join(', ')}, `
      + `file=${label}. Export the model again.`,
  );
}

/** Rows of [R | t] from COLMAP's rotation and translation; undefined when they are no pose. */
function poseOf({ rotation, translation }: ImageRecord): readonly number[] | undefined {
  const length = Math.hypot(...rotation);
  if (!(Number.isFinite(length) && length > 1e-6) || !translation.every(Number.isFinite)) return undefined;
  const [w, x, y, z] = rotation.map((value) => value / length) as [number, number, number, number];
  const [tx, ty, tz] = translation as [number, number, number];
  return [
    1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y), tx,
    2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x), ty,
    2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y), tz,
  ]; // prettier-ignore
}

/**
 * The model of what files say. Cameras that no image uses do not count, whatever they are; images whose pose or camera is not a number are
 * left out.
 *
 * @throws UserError when an image has no name, or its camera is not there; UnsupportedError when its camera is of a model that is not read
 */
export function modelOf(
  given: { readonly cameras: ReadonlyMap<number, CameraRecord>; readonly images: readonly ImageRecord[]; readonly points: SourcePoints },
  label: string,
): ColmapModel {
  const cameras = new Map<number, LensCamera>();
  const images: ColmapImage[] = [];
  const leftOut: LeftOutView[] = [];
  for (const image of given.images) {
    const { name, cameraId } = image;
    if (name === '' || name.includes('\0'))
      throw new UserError(`[gaussians/colmap] image has no name: name=${JSON.stringify(name)}, file=${label}. Export the model again.`);
    const camera = given.cameras.get(cameraId);
    if (camera === undefined)
      throw new UserError(
        `[gaussians/colmap] image names a camera that is not there: image="${name}", camera=${cameraId}, file=${label}. Export the `
          + 'model again.',
      );
    if (camera instanceof UnsupportedError) throw camera;
    const worldToCamera = poseOf(image);
    if (camera instanceof UserError) {
      leftOut.push({ name, reason: `camera ${cameraId} cannot be used: ${camera.message.replace(/^\[[^\]]*\] /, '')}` });
    } else if (worldToCamera === undefined) {
      leftOut.push({ name, reason: 'the pose is no pose' });
    } else {
      cameras.set(cameraId, camera);
      images.push({ name, cameraId, worldToCamera });
    }
  }
  return { cameras, images, leftOut, points: given.points };
}
