import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { readBytes } from '@langevin/io/node';
import { parseColmapBinary } from '../colmap/binary.ts';
import { parseColmapText } from '../colmap/text.ts';
import type { SceneSource } from './load-scene.ts';

/** The largest file of a model that is read: a hundred million points without tracks. */
const MAX_BYTES = 4 * 1024 ** 3 - 1;

/** Where a COLMAP model is, and in which form. */
export interface ColmapPlace {
  readonly folder: string;
  readonly form: 'bin' | 'txt';
}

/** Looks in the places where COLMAP and its users put models. */
export async function findColmap(path: string): Promise<ColmapPlace | undefined> {
  for (const folder of [join(path, 'sparse', '0'), join(path, 'sparse'), join(path, 'colmap', 'sparse', '0'), path]) {
    for (const form of ['bin', 'txt'] as const) {
      if (await exists(join(folder, `cameras.${form}`))) return { folder, form };
    }
  }
  return undefined;
}

export async function readColmap({ folder, form }: ColmapPlace, images: string): Promise<SceneSource> {
  const read = (name: string): Promise<Uint8Array> => readBytes(join(folder, `${name}.${form}`), { maxBytes: MAX_BYTES });
  const files = { cameras: await read('cameras'), images: await read('images'), points: await read('points3D') };
  const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
  const model = form === 'bin' ? parseColmapBinary(files) : parseColmapText({ cameras: text(files.cameras), images: text(files.images), points: text(files.points) });
  return {
    points: model.points,
    heldOut: [],
    views: model.images.map(({ name, cameraId, worldToCamera }) => {
      const lens = model.cameras.get(cameraId)!;
      return { name, imagePath: join(images, name), worldToCamera, lens: () => lens };
    }),
  };
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(() => true, () => false);
}
