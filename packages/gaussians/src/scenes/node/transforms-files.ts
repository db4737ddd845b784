import { access, stat } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
import { readJson } from '@langevin/io/node';
import { UserError } from '@langevin/tensor';
import { parseTransforms } from '../transforms.ts';
import type { SceneSource, ViewSource } from './load-scene.ts';

/** The files to read: a transforms.json, or Blender's transforms_train.json and transforms_test.json; empty when there is none. */
export async function findTransforms(path: string): Promise<readonly string[]> {
  if (path.endsWith('.json')) return (await stat(path)).isFile() ? [path] : [];
  for (const names of [['transforms.json'], ['transforms_train.json', 'transforms_test.json']]) {
    const there = [];
    for (const name of names) if (await exists(join(path, name))) there.push(join(path, name));
    if (there.length > 0) return there;
  }
  return [];
}

/** @param files the second one is held out whole */
export async function readTransforms(files: readonly string[]): Promise<SceneSource> {
  const views: ViewSource[] = [];
  const heldOut: string[] = [];
  for (const [i, file] of files.entries()) {
    const folder = dirname(file);
    const model = parseTransforms(await readJson(file), file);
    const names = new Set(model.heldOut);
    for (const frame of model.frames) {
      views.push({
        name: frame.imagePath,
        imagePath: await imageFile(folder, frame.imagePath),
        ...(frame.maskPath !== undefined && { maskPath: join(folder, frame.maskPath) }),
        worldToCamera: frame.worldToCamera,
        lens: frame.lens,
      });
      if (i === 1 || names.has(frame.imagePath)) heldOut.push(frame.imagePath);
    }
  }
  return { views, heldOut };
}

/** Blender's files leave the ending of images out. */
async function imageFile(folder: string, path: string): Promise<string> {
  const candidates = extname(path) === '' ? [`${path}.png`, `${path}.jpg`, path] : [path];
  for (const candidate of candidates) if (await exists(join(folder, candidate))) return join(folder, candidate);
  throw new UserError(`[gaussians/transforms] image of a frame is not there: ${candidates.map((candidate) => join(folder, candidate)).join(' or ')}. Put the images where the file says.`);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(() => true, () => false);
}
