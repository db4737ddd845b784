import { access, readdir, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { readBytes, readGrey16, readImage } from '@langevin/io/node';
import { UserError } from '@langevin/tensor';
import type { SceneFolder } from '../folder.ts';
import { readScene, type ReadSceneOptions } from '../read-scene.ts';
import type { SplatScene } from '../scene.ts';

export interface LoadSceneOptions extends Omit<ReadSceneOptions, 'transforms'> {
  /** Of COLMAP scenes, where the images are. @default `images` in the folder */
  readonly images?: string;
}

/**
 * Read posed photographs: the folder of a COLMAP model (`sparse/0` or the folder itself, binary or text, with `images`), or one with a
 * transforms.json of nerfstudio or Blender. Lens distortion is taken out.
 *
 * @throws UserError when a file is missing or damaged, or an option is out of range; UnsupportedError for lenses that are not read
 * @example
 * // not run: needs a scene in a folder
 * const scene = await loadScene('data/garden', { downscale: 4 });
 */
export async function loadScene(path: string, options: LoadSceneOptions = {}): Promise<SplatScene> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw new UserError(`[gaussians/scenes] no scene there: path=${path}. Check the path.`);
  const given = options.images === undefined ? {} : { images: resolve(options.images) };
  if (found.isFile() && path.endsWith('.json'))
    return readScene(diskFolder(dirname(path), basename(path)), { ...options, ...given, transforms: basename(path) });
  return readScene(diskFolder(path, basename(resolve(path))), { ...options, ...given });
}

function diskFolder(root: string, name: string): SceneFolder {
  const at = (path: string): string => (isAbsolute(path) ? path : join(root, path));
  return {
    name,
    has: (path) =>
      access(at(path)).then(
        () => true,
        () => false,
      ),
    bytes: (path, options) => readBytes(at(path), options),
    image: (path, channels) => readImage(at(path), { channels }),
    depth: (path) => readGrey16(at(path)),
    label: at,
    names: () => readdir(root).catch(() => [basename(root)]),
  };
}
