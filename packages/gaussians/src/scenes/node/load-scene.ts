import { access, readdir, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { readBytes, readGrey16, readImage } from '@langevin/io/node';
import { UserError } from '@langevin/tensor';
import type { SceneFolder } from '../folder.ts';
import { openScene, type OpenedScene, type OpenSceneOptions } from '../open-scene.ts';
import { readScene, type ReadSceneOptions } from '../read-scene.ts';
import type { SplatScene } from '../scene.ts';

export interface LoadSceneOptions extends Omit<ReadSceneOptions, 'transforms'> {
  /** Of COLMAP scenes, where the images are. @default `images` in the folder, or beside the model */
  readonly images?: string;
}

/**
 * Read posed photographs: the folder of a COLMAP model (`sparse/0` or the folder itself, binary or text, with `images`), or one with a
 * transforms.json of nerfstudio, instant-ngp or Blender. Lens distortion is taken out.
 *
 * @throws UserError when a file is missing or damaged, or an option is out of range; UnsupportedError for lenses that are not read
 * @example
 * // not run: needs a scene in a folder
 * const scene = await loadScene('data/garden', { downscale: 4 });
 */
export async function loadScene(path: string, options: LoadSceneOptions = {}): Promise<SplatScene> {
  const place = await placeOf(path, options);
  return readScene(place.folder, { ...options, ...place.options });
}

/**
 * {@link loadScene} without decoding a picture: views read theirs when they are asked.
 *
 * @throws as {@link loadScene}
 * @example
 * // not run: needs a scene in a folder
 * const { train } = await openSceneFolder('data/garden', { holdOut: 'none' });
 * const { camera } = await train.find(({ name }) => name === 'DSC07956.JPG')!.read();
 */
export async function openSceneFolder(path: string, options: Omit<LoadSceneOptions, 'onView'> = {}): Promise<OpenedScene> {
  const place = await placeOf(path, options);
  return openScene(place.folder, { ...options, ...place.options });
}

async function placeOf(
  path: string,
  { images, model }: LoadSceneOptions,
): Promise<{ readonly folder: SceneFolder; readonly options: Pick<OpenSceneOptions, 'images' | 'model' | 'transforms'> }> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw new UserError(`[gaussians/scenes] no scene there: path=${path}. Check the path.`);
  const given = images === undefined ? {} : { images: resolve(images) };
  if (found.isFile() && path.endsWith('.json'))
    return { folder: diskFolder(dirname(path), basename(path)), options: { ...given, transforms: basename(path) } };
  const full = resolve(path);
  // The folder of a model itself, as in scene/sparse/0: pictures lie beside `sparse`.
  const part = /^(.*[/\\]|)(sparse(?:[/\\]\d+)?)$/.exec(full);
  if (part !== null && images === undefined && model === undefined && (await hasModel(full))) {
    const root = resolve(part[1] ?? '.');
    return { folder: diskFolder(root, basename(root)), options: { model: part[2]! } };
  }
  return { folder: diskFolder(path, basename(full)), options: given };
}

async function hasModel(folder: string): Promise<boolean> {
  return (await exists(join(folder, 'cameras.bin'))) || exists(join(folder, 'cameras.txt'));
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function diskFolder(root: string, name: string): SceneFolder {
  const at = (path: string): string => (isAbsolute(path) ? path : join(root, path));
  return {
    name,
    has: (path) => exists(at(path)),
    bytes: (path, options) => readBytes(at(path), options),
    image: (path, options) => readImage(at(path), options),
    depth: (path) => readGrey16(at(path)),
    label: at,
    names: () => readdir(root).catch(() => [basename(root)]),
  };
}
