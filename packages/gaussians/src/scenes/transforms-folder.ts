import { parseJson } from '@langevin/io';
import { UserError } from '@langevin/tensor';
import { joinPath, type SceneFolder } from './folder.ts';
import type { SceneSource, ViewSource } from './read-scene.ts';
import { parseTransforms } from './transforms.ts';

/** Far above any list of cameras, and small enough to parse at once. */
const MAX_BYTES = 16 * 1024 * 1024;

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
  for (const [i, path] of paths.entries()) {
    const label = files.label(path);
    const text = new TextDecoder().decode(await files.bytes(path, { maxBytes: MAX_BYTES }));
    const model = parseTransforms(parseJson(text, `[gaussians/transforms] ${JSON.stringify(label)}`), label);
    const names = new Set(model.heldOut);
    const folder = path.slice(0, Math.max(0, path.lastIndexOf('/')));
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
  return { views, heldOut };
}

/** Blender's files leave the ending of images out. */
async function imageFile(files: SceneFolder, folder: string, path: string): Promise<string> {
  const named = /\.[^./]+$/.test(path);
  const candidates = (named ? [path] : [`${path}.png`, `${path}.jpg`, path]).map((candidate) => joinPath(folder, candidate));
  for (const candidate of candidates) if (await files.has(candidate)) return candidate;
  throw new UserError(`[gaussians/transforms] image of a frame is not there: ${candidates.map(files.label).join(' or ')}. Put the images where the file says.`);
}
