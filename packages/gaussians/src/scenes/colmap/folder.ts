import { joinPath, type SceneFolder } from '../folder.ts';
import type { SceneSource, ViewSource } from '../read-scene.ts';
import { parseColmapBinary } from './binary.ts';
import { parseColmapText } from './text.ts';

/** The largest file of a model that is read: a hundred million points without tracks. */
const MAX_BYTES = 4 * 1024 ** 3 - 1;

/** Where COLMAP and its users put models. */
const PLACES = ['sparse/0', 'sparse', 'colmap/sparse/0', ''];

/** Where a COLMAP model is, and in which form. */
interface ColmapPlace {
  readonly folder: string;
  readonly form: 'bin' | 'txt';
}

export async function findColmap(files: SceneFolder): Promise<ColmapPlace | undefined> {
  for (const folder of PLACES) {
    for (const form of ['bin', 'txt'] as const) {
      if (await files.has(joinPath(folder, `cameras.${form}`))) return { folder, form };
    }
  }
  return undefined;
}

export async function readColmap(files: SceneFolder, { folder, form }: ColmapPlace, images: string): Promise<SceneSource> {
  const read = (name: string): Promise<Uint8Array> => files.bytes(joinPath(folder, `${name}.${form}`), { maxBytes: MAX_BYTES });
  const bytes = { cameras: await read('cameras'), images: await read('images'), points: await read('points3D') };
  const text = (file: Uint8Array): string => new TextDecoder().decode(file);
  const model =
    form === 'bin'
      ? parseColmapBinary(bytes)
      : parseColmapText({ cameras: text(bytes.cameras), images: text(bytes.images), points: text(bytes.points) });
  const views: ViewSource[] = [];
  for (const { name, cameraId, worldToCamera } of model.images) {
    const lens = model.cameras.get(cameraId)!;
    const maskPath = await maskOf(files, name);
    views.push({ name, imagePath: joinPath(images, name), ...(maskPath !== undefined && { maskPath }), worldToCamera, lens: () => lens });
  }
  return { points: model.points, heldOut: [], views };
}

/** COLMAP's own place for the mask of `images/a.jpg` is `masks/a.jpg.png`; others write `masks/a.png`, or the same name. */
async function maskOf(files: SceneFolder, name: string): Promise<string | undefined> {
  for (const candidate of [`${name}.png`, name.replace(/\.[^./]+$/, '.png'), name]) {
    const path = joinPath('masks', candidate);
    if (await files.has(path)) return path;
  }
  return undefined;
}
