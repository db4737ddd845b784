import { parseJson } from '@langevin/io';
import { readPlyPoints } from '@langevin/io/splats';
import { UserError } from '@langevin/tensor';
import { joinPath, type SceneFolder } from './folder.ts';
import type { SceneSource, ViewSource } from './read-scene.ts';
import type { PointCloud } from './scene.ts';
import { parseTransforms } from './transforms.ts';

/** Far above any list of cameras, and small enough to parse at once. */
const MAX_BYTES = 16 * 1024 * 1024;

/** Seventy million points with colours: more than can be trained. */
const MAX_POINT_BYTES = 1024 ** 3;

/** The files to read: a transforms.json, or Blender's transforms_train.json and transforms_test.json; empty when there is none. */
export async function findTransforms(files: SceneFolder): Promise<readonly string[]> {
  for (const names of [['transforms.json'], ['transforms_train.json', 'transforms_test.json']]) {
    const there = [];
    for (const name of names) if (await files.has(name)) there.push(name);
    if (there.length > 0) return there;
  }
  return [];
}

/** @param paths the second one is held out whole */
export async function readTransforms(files: SceneFolder, paths: readonly string[]): Promise<SceneSource> {
  const views: ViewSource[] = [];
  const heldOut: string[] = [];
  let points: PointCloud | undefined;
  for (const [i, path] of paths.entries()) {
    const label = files.label(path);
    const text = new TextDecoder().decode(await files.bytes(path, { maxBytes: MAX_BYTES }));
    const model = parseTransforms(parseJson(text, `[gaussians/transforms] ${JSON.stringify(label)}`), label);
    const names = new Set(model.heldOut);
    const folder = path.slice(0, Math.max(0, path.lastIndexOf('/')));
    if (model.pointsPath !== undefined) points ??= await pointsOf(files, joinPath(folder, model.pointsPath), label);
    for (const frame of model.frames) {
      views.push({
        name: frame.imagePath,
        imagePath: await imageFile(files, folder, frame.imagePath),
        ...(frame.maskPath !== undefined && { maskPath: joinPath(folder, frame.maskPath) }),
        ...(frame.depthPath !== undefined && { depth: { path: joinPath(folder, frame.depthPath), unit: model.depthUnit } }),
        ...(frame.time !== undefined && { time: frame.time }),
        worldToCamera: frame.worldToCamera,
        lens: frame.lens,
      });
      if (i === 1 || names.has(frame.imagePath)) heldOut.push(frame.imagePath);
    }
  }
  return { views, heldOut, ...(points && { points }) };
}

async function pointsOf(files: SceneFolder, path: string, label: string): Promise<PointCloud> {
  if (!(await files.has(path)))
    throw new UserError(
      `[gaussians/transforms] points to begin with are not there: ${files.label(path)}. Put them where ${label} says as `
        + 'ply_file_path, or take that entry out.',
    );
  const bytes = await files.bytes(path, { maxBytes: MAX_POINT_BYTES });
  try {
    return await readPlyPoints(bytes);
  } catch (error) {
    if (error instanceof UserError)
      throw new UserError(`[gaussians/transforms] points to begin with cannot be read: ${files.label(path)}. ${error.message}`, {
        cause: error,
      });
    throw error;
  }
}

/** Blender's files leave the ending of images out. */
async function imageFile(files: SceneFolder, folder: string, path: string): Promise<string> {
  const named = /\.[^./]+$/.test(path);
  const candidates = (named ? [path] : [`${path}.png`, `${path}.jpg`, path]).map((candidate) => joinPath(folder, candidate));
  for (const candidate of candidates) if (await files.has(candidate)) return candidate;
  throw new UserError(
    `[gaussians/transforms] image of a frame is not there: ${candidates.map(files.label).join(' or ')}. Put the images where the `
      + 'file says.',
  );
}
