import { UnsupportedError, UserError } from '@langevin/tensor';
import * as v from 'valibot';
import { MAX_SIDE } from '../camera.ts';
import type { LensCamera } from './lens.ts';

/** A frame of a transforms.json: where its files are and how it was taken. */
export interface TransformsFrame {
  /** As the file names it, relative to it; Blender's leave the ending out. */
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
  /** Names of `val_filenames` and `test_filenames`, to be held out; empty when it names none. */
  readonly heldOut: readonly string[];
  /** Points to begin with, relative to the file; in the same world as the frames. */
  readonly pointsPath?: string;
  /** World units of 1 in a depth map. @default 0.001, nerfstudio's millimetres */
  readonly depthUnit: number;
}

const finite = v.pipe(v.number(), v.finite());
const side = v.pipe(v.number(), v.minValue(1), v.maxValue(MAX_SIDE));
const intrinsics = {
  camera_model: v.optional(v.string()),
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
  p1: v.optional(finite),
  p2: v.optional(finite),
};
const Frame = v.object({
  ...intrinsics,
  file_path: v.pipe(v.string(), v.minLength(1)),
  mask_path: v.optional(v.string()),
  depth_file_path: v.optional(v.string()),
  time: v.optional(finite),
  transform_matrix: v.pipe(v.array(v.pipe(v.array(finite), v.length(4))), v.minLength(3), v.maxLength(4)),
});
const File = v.object({
  ...intrinsics,
  frames: v.pipe(v.array(Frame), v.minLength(1)),
  val_filenames: v.optional(v.array(v.string())),
  test_filenames: v.optional(v.array(v.string())),
  ply_file_path: v.optional(v.pipe(v.string(), v.minLength(1))),
  depth_unit_scale_factor: v.optional(v.pipe(finite, v.gtValue(0))),
});
type Given = v.InferOutput<v.ObjectSchema<typeof intrinsics, undefined>>;

const MODELS = ['OPENCV', 'PINHOLE', 'SIMPLE_PINHOLE'];

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
  return {
    depthUnit: file.depth_unit_scale_factor ?? 1e-3,
    ...(file.ply_file_path !== undefined && { pointsPath: inside(file.ply_file_path, `${label} ply_file_path`) }),
    heldOut: [...(file.val_filenames ?? []), ...(file.test_filenames ?? [])].map(frameName),
    frames: file.frames.map((frame, i) => {
      const where = `${label} frames[${i}]`;
      const given: Given = { ...pick(file), ...pick(frame) };
      checkLens(given, where);
      return {
        imagePath: inside(frame.file_path, where),
        ...(frame.mask_path !== undefined && { maskPath: inside(frame.mask_path, where) }),
        ...(frame.depth_file_path !== undefined && { depthPath: inside(frame.depth_file_path, where) }),
        ...(frame.time !== undefined && { time: frame.time }),
        worldToCamera: invertOpenGl(frame.transform_matrix, where),
        lens: (size) => lensOf(given, size, where),
      };
    }),
  };
}

/** How a frame is called: the path without leading ./ */
export function frameName(path: string): string {
  return path.replace(/^(\.\/)+/, '');
}

function pick(from: Given): Given {
  return Object.fromEntries(
    Object.keys(intrinsics).flatMap((key) => (from[key as keyof Given] === undefined ? [] : [[key, from[key as keyof Given]]])),
  );
}

function inside(path: string, where: string): string {
  if (/^([/\\]|[a-zA-Z]:)/.test(path) || path.split(/[/\\]/).includes('..') || path.includes('\0')) {
    throw new UserError(
      `[gaussians/transforms] ${where} leads out of its folder: path=${JSON.stringify(path)}. Use a path below the file.`,
    );
  }
  return frameName(path);
}

function checkLens(given: Given, where: string): void {
  const { camera_model: model = 'OPENCV', k3 = 0, k4 = 0 } = given;
  if (!MODELS.includes(model))
    throw new UnsupportedError(
      `[gaussians/transforms] ${where}: camera model is not read: camera_model=${model}. Read are ${MODELS.join(', ')}; undistort `
        + 'the images first.',
    );
  if (k3 !== 0 || k4 !== 0)
    throw new UnsupportedError(
      `[gaussians/transforms] ${where}: k3=${k3}, k4=${k4} are not read. Undistort the images first, or fit k1, k2, p1, p2 only.`,
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
  const position = [0, 1, 2].map((row) => matrix[row]![3]!);
  return columns.flatMap((column) => [...column, 0 - column.reduce((sum, value, i) => sum + value * position[i]!, 0)]);
}
