import { MAX_SIDE } from '@langevin/core';
import { UnsupportedError, UserError } from '@langevin/tensor';
import * as v from 'valibot';
import type { LensCamera } from './lens.ts';
import { withSlashes } from './paths.ts';
import type { LeftOutView } from './source.ts';

/** A frame of a transforms.json: where its files are and how it was taken. */
export interface TransformsFrame {
  /** As the file names it, with slashes; mostly relative to the file, and Blender's leave the ending out. */
  readonly imagePath: string;
  readonly maskPath?: string;
  /** A grey PNG of 16 bits: distances along z. */
  readonly depthPath?: string;
  /** Rows of [R | t], 12 numbers, in OpenCV's axes. */
  readonly worldToCamera: readonly number[];
  /** When it was taken, in the units of the file. */
  readonly time?: number;
  /** The lens for a picture of this size, which Blender's files do not say. */
  readonly lens: (size: { readonly width: number; readonly height: number }) => LensCamera;
}

/** What a transforms.json says. */
export interface TransformsModel {
  readonly frames: readonly TransformsFrame[];
  /** Frames whose pose is not a number. */
  readonly leftOut: readonly LeftOutView[];
  /** Names of `val_filenames` and `test_filenames`, to be held out; empty when it names none. */
  readonly heldOut: readonly string[];
  /** Names of `train_filenames`; frames that neither list names are not used. @default those that are not held out */
  readonly trained?: readonly string[];
  /** Points to begin with, as the file names them; in the same world as the frames. */
  readonly pointsPath?: string;
  /** World units of 1 in a depth map. @default 0.001, nerfstudio's millimetres */
  readonly depthUnit: number;
}

const finite = v.pipe(v.number(), v.finite());
/** Python writes NaN for the poses of frames that it could not place: those frames are left out. */
const anyNumber = v.custom<number>((value) => typeof value === 'number', 'Expected a number');
const side = v.pipe(v.number(), v.minValue(1), v.maxValue(MAX_SIDE));
const intrinsics = {
  camera_model: v.optional(v.string()),
  // instant-ngp's names of lenses that are no pinholes.
  is_fisheye: v.optional(v.boolean()),
  latlong: v.optional(v.boolean()),
  equirectangular: v.optional(v.boolean()),
  ftheta_p0: v.optional(finite),
  w: v.optional(side),
  h: v.optional(side),
  fl_x: v.optional(v.pipe(finite, v.gtValue(0))),
  fl_y: v.optional(v.pipe(finite, v.gtValue(0))),
  cx: v.optional(finite),
  cy: v.optional(finite),
  camera_angle_x: v.optional(v.pipe(finite, v.gtValue(0), v.ltValue(Math.PI))),
  camera_angle_y: v.optional(v.pipe(finite, v.gtValue(0), v.ltValue(Math.PI))),
  k1: v.optional(finite),
  k2: v.optional(finite),
  k3: v.optional(finite),
  k4: v.optional(finite),
  k5: v.optional(finite),
  k6: v.optional(finite),
  p1: v.optional(finite),
  p2: v.optional(finite),
};
const Frame = v.object({
  ...intrinsics,
  file_path: v.pipe(v.string(), v.minLength(1)),
  mask_path: v.optional(v.string()),
  depth_file_path: v.optional(v.string()),
  time: v.optional(finite),
  transform_matrix: v.pipe(v.array(v.pipe(v.array(anyNumber), v.length(4))), v.minLength(3), v.maxLength(4)),
});
const File = v.object({
  ...intrinsics,
  frames: v.pipe(v.array(Frame), v.minLength(1)),
  train_filenames: v.optional(v.array(v.string())),
  val_filenames: v.optional(v.array(v.string())),
  test_filenames: v.optional(v.array(v.string())),
  ply_file_path: v.optional(v.pipe(v.string(), v.minLength(1))),
  depth_unit_scale_factor: v.optional(v.pipe(finite, v.gtValue(0))),
});
type Given = v.InferOutput<v.ObjectSchema<typeof intrinsics, undefined>>;

/** The same lens with more or fewer of its terms. */
const MODELS = ['SIMPLE_PINHOLE', 'PINHOLE', 'SIMPLE_RADIAL', 'RADIAL', 'OPENCV'];

/** What instant-ngp calls a lens that is no pinhole, by what its file says. */
const OTHER_LENSES = ['is_fisheye', 'latlong', 'equirectangular', 'ftheta_p0'] as const;

/**
 * Read a transforms.json of nerfstudio, instant-ngp or Blender: cameras to world in OpenGL's axes, which become world to camera in
 * OpenCV's.
 *
 * @param value what the JSON says
 * @throws UserError when it does not have the form; UnsupportedError for lenses other than pinholes and OpenCV's
 */
export function parseTransforms(value: unknown, label = 'transforms.json'): TransformsModel {
  const parsed = v.safeParse(File, value);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    throw new UserError(
      `[gaussians/transforms] ${label} has the wrong form: ${v.getDotPath(issue) ?? 'top'}: ${issue.message}. Correct this entry.`,
    );
  }
  const file = parsed.output;
  const posed = ({ transform_matrix: matrix }: v.InferOutput<typeof Frame>): boolean => matrix.flat().every(Number.isFinite);
  return {
    leftOut: file.frames.flatMap((frame) => (posed(frame) ? [] : [{ name: withSlashes(frame.file_path), reason: 'the pose is no pose' }])),
    depthUnit: file.depth_unit_scale_factor ?? 1e-3,
    ...(file.ply_file_path !== undefined && { pointsPath: named(file.ply_file_path, `${label} ply_file_path`) }),
    heldOut: [...(file.val_filenames ?? []), ...(file.test_filenames ?? [])].map(withSlashes),
    ...(file.train_filenames && { trained: file.train_filenames.map(withSlashes) }),
    frames: file.frames.flatMap((frame, i) => {
      if (!posed(frame)) return [];
      const where = `${label} frames[${i}]`;
      const given: Given = { ...pick(file), ...pick(frame) };
      checkLens(given, where);
      return {
        imagePath: named(frame.file_path, where),
        ...(frame.mask_path !== undefined && { maskPath: named(frame.mask_path, where) }),
        ...(frame.depth_file_path !== undefined && { depthPath: named(frame.depth_file_path, where) }),
        ...(frame.time !== undefined && { time: frame.time }),
        worldToCamera: invertOpenGl(frame.transform_matrix, where),
        lens: (size) => lensOf(given, size, where),
      };
    }),
  };
}

function pick(from: Given): Given {
  return Object.fromEntries(
    Object.keys(intrinsics).flatMap((key) => (from[key as keyof Given] === undefined ? [] : [[key, from[key as keyof Given]]])),
  );
}

function named(path: string, where: string): string {
  if (path !== '' && !path.includes('\0')) return withSlashes(path);
  throw new UserError(`[gaussians/transforms] ${where} names no file: path=${JSON.stringify(path)}. Correct this entry.`);
}

function checkLens(given: Given, where: string): void {
  const { camera_model: model = 'OPENCV' } = given;
  if (!MODELS.includes(model))
    throw new UnsupportedError(
      `[gaussians/transforms] ${where}: camera model is not read: camera_model=${model}. Read are ${MODELS.join(', ')}; undistort `
        + 'the images first.',
    );
  const other = OTHER_LENSES.find((name) => given[name] !== undefined && given[name] !== false);
  if (other !== undefined)
    throw new UnsupportedError(
      `[gaussians/transforms] ${where}: lens is not read: ${other}=${String(given[other])}. Read are pinholes with OpenCV's k1, k2, p1, `
        + 'p2; undistort the images first.',
    );
  const terms = (['k3', 'k4', 'k5', 'k6'] as const).filter((name) => (given[name] ?? 0) !== 0);
  if (terms.length > 0)
    throw new UnsupportedError(
      `[gaussians/transforms] ${where}: ${terms.map((name) => `${name}=${given[name]}`).join(', ')} are not read. Undistort the images `
        + 'first, or fit k1, k2, p1, p2 only.',
    );
}

function lensOf(given: Given, size: { readonly width: number; readonly height: number }, where: string): LensCamera {
  const { w = size.width, h = size.height, camera_angle_x: angleX, camera_angle_y: angleY } = given;
  const fx = given.fl_x ?? (angleX === undefined ? given.fl_y : w / (2 * Math.tan(angleX / 2)));
  // Square pixels unless the file says otherwise.
  const fy = given.fl_y ?? (angleY === undefined ? fx : h / (2 * Math.tan(angleY / 2)));
  if (fx === undefined || fy === undefined)
    throw new UserError(`[gaussians/transforms] ${where} has no focal length. Give fl_x, or camera_angle_x.`);
  return {
    width: w,
    height: h,
    fx,
    fy,
    cx: given.cx ?? w / 2,
    cy: given.cy ?? h / 2,
    k1: given.k1 ?? 0,
    k2: given.k2 ?? 0,
    p1: given.p1 ?? 0,
    p2: given.p2 ?? 0,
  };
}

/** OpenGL looks along -z with y up: the second and third axis of the camera change their sign. Then [R | t] of the rigid inverse. */
function invertOpenGl(matrix: readonly (readonly number[])[], where: string): readonly number[] {
  const at = (row: number, column: number): number => matrix[row]![column]! * (column === 1 || column === 2 ? -1 : 1);
  const columns = [0, 1, 2].map((column) => {
    const length = Math.hypot(at(0, column), at(1, column), at(2, column));
    if (!(length > 1e-9))
      throw new UserError(
        `[gaussians/transforms] ${where}: transform_matrix is no pose, column ${column} has length ${length}. Export it again.`,
      );
    // Some exporters leave a scale on the rotation.
    return [at(0, column) / length, at(1, column) / length, at(2, column) / length];
  });
  for (const [a, b] of [
    [0, 1],
    [0, 2],
    [1, 2],
  ] as const) {
    const dot = columns[a]!.reduce((sum, value, i) => sum + value * columns[b]![i]!, 0);
    if (Math.abs(dot) > 1e-3)
      throw new UserError(
        `[gaussians/transforms] ${where}: transform_matrix is no rotation: columns ${a} and ${b} have the product ${dot}. Export it again.`,
      );
  }
  if (determinant(columns) < 0)
    throw new UserError(
      `[gaussians/transforms] ${where}: transform_matrix is mirrored, its rotation has determinant -1: pictures would not fit it. Export `
        + 'it again with axes of the right hand.',
    );
  const position = [0, 1, 2].map((row) => matrix[row]![3]!);
  return columns.flatMap((column) => [...column, 0 - column.reduce((sum, value, i) => sum + value * position[i]!, 0)]);
}

function determinant([a, b, c]: readonly (readonly number[])[]): number {
  return (
    a![0]! * (b![1]! * c![2]! - b![2]! * c![1]!)
    - a![1]! * (b![0]! * c![2]! - b![2]! * c![0]!)
    + a![2]! * (b![0]! * c![1]! - b![1]! * c![0]!)
  );
}
