import { UnsupportedError, UserError } from '@langevin/tensor';
import { MAX_SIDE } from '../../camera.ts';
import type { PointCloud } from '../scene.ts';
import type { LensCamera } from '../lens.ts';

/** A COLMAP reconstruction: lenses, where each photograph was taken, and sparse points. */
export interface ColmapModel {
  readonly cameras: ReadonlyMap<number, LensCamera>;
  readonly images: readonly ColmapImage[];
  readonly points: PointCloud;
}

export interface ColmapImage {
  readonly name: string;
  readonly cameraId: number;
  /** Rows of [R | t], 12 numbers: camera = R world + t. */
  readonly worldToCamera: readonly number[];
}

/** The models that are read, with their numbers in COLMAP and the names of their parameters in its order. */
const MODELS: Readonly<Record<string, { readonly id: number; readonly parameters: readonly string[] }>> = {
  SIMPLE_PINHOLE: { id: 0, parameters: ['f', 'cx', 'cy'] },
  PINHOLE: { id: 1, parameters: ['fx', 'fy', 'cx', 'cy'] },
  SIMPLE_RADIAL: { id: 2, parameters: ['f', 'cx', 'cy', 'k1'] },
  RADIAL: { id: 3, parameters: ['f', 'cx', 'cy', 'k1', 'k2'] },
  OPENCV: { id: 4, parameters: ['fx', 'fy', 'cx', 'cy', 'k1', 'k2', 'p1', 'p2'] },
};

/** Names of COLMAP's models by number, so that a refusal can name what it refuses. */
const NAMES = [
  'SIMPLE_PINHOLE',
  'PINHOLE',
  'SIMPLE_RADIAL',
  'RADIAL',
  'OPENCV',
  'OPENCV_FISHEYE',
  'FULL_OPENCV',
  'FOV',
  'SIMPLE_RADIAL_FISHEYE',
  'RADIAL_FISHEYE',
  'THIN_PRISM_FISHEYE',
  'RAD_TAN_THIN_PRISM_FISHEYE',
];

/** How many parameters follow a model. @throws UnsupportedError when it is not one of those that are read */
export function parameterNames(model: string | number, label: string): readonly string[] {
  const name = typeof model === 'number' ? (NAMES[model] ?? `number ${model}`) : model;
  const known = Object.hasOwn(MODELS, name) ? MODELS[name] : undefined;
  if (known !== undefined) return known.parameters;
  throw new UnsupportedError(
    `[gaussians/colmap] camera model is not read: model=${name}, file=${label}. Read are ${Object.keys(MODELS).join(', ')}; run `
      + '"colmap image_undistorter" first.',
  );
}

/** @throws UserError when a number is out of range */
export function lensCamera(
  given: { readonly width: number; readonly height: number; readonly names: readonly string[]; readonly values: readonly number[] },
  label: string,
): LensCamera {
  const { width, height, names, values } = given;
  for (const [name, side] of Object.entries({ width, height })) {
    if (!Number.isSafeInteger(side) || side < 1 || side > MAX_SIDE)
      throw new UserError(`[gaussians/colmap] camera of impossible size: ${name}=${side}, file=${label}. Sizes are 1 to ${MAX_SIDE}.`);
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
  const wrong = Object.entries(camera).find(([, value]) => !Number.isFinite(value));
  if (wrong !== undefined || !(camera.fx > 0) || !(camera.fy > 0)) {
    throw new UserError(
      `[gaussians/colmap] camera has impossible numbers: ${names.map((name, i) => `${name}=${values[i]}`).join(', ')}, `
        + `file=${label}. Export the model again.`,
    );
  }
  return camera;
}

/** Rows of [R | t] from COLMAP's rotation (w, x, y, z) and translation. @throws UserError when they are no pose */
export function worldToCameraOf(rotation: readonly number[], translation: readonly number[], where: string): readonly number[] {
  const length = Math.hypot(...rotation);
  if (!(Number.isFinite(length) && length > 1e-6) || !translation.every(Number.isFinite)) {
    throw new UserError(
      `[gaussians/colmap] image has no pose: q=[${rotation.join(', ')}], t=[${translation.join(', ')}], ${where}. Export the model again.`,
    );
  }
  const [w, x, y, z] = rotation.map((value) => value / length) as [number, number, number, number];
  const [tx, ty, tz] = translation as [number, number, number];
  return [
    1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y), tx,
    2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x), ty,
    2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y), tz,
  ]; // prettier-ignore
}

/** Every image must have its camera, and its name may not lead out of the folder of images. */
export function checkModel(model: ColmapModel, label: string): ColmapModel {
  for (const { name, cameraId } of model.images) {
    if (!model.cameras.has(cameraId))
      throw new UserError(
        `[gaussians/colmap] image names a camera that is not there: image="${name}", camera=${cameraId}, file=${label}. Export the `
          + 'model again.',
      );
    if (name === '' || name.includes('\0') || /^([/\\]|[a-zA-Z]:)/.test(name) || name.split(/[/\\]/).includes('..')) {
      throw new UserError(
        `[gaussians/colmap] image name leads out of the folder of images: name=${JSON.stringify(name)}, file=${label}. Rename it.`,
      );
    }
  }
  return model;
}
