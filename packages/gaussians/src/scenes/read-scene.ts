import type { SceneFolder } from './folder.ts';
import { openSources, type OpenSceneOptions, type UnreadSource } from './open-scene.ts';
import type { SceneView, SplatScene } from './scene.ts';

export interface ReadSceneOptions extends OpenSceneOptions {
  /** Told after each photograph. */
  readonly onView?: (progress: { readonly done: number; readonly total: number }) => void;
}

/**
 * Read posed photographs: a COLMAP model (`sparse/0` or the folder itself, binary or text, with `images`), or a transforms.json of
 * nerfstudio, instant-ngp or Blender. Lens distortion is taken out. Works wherever files can be read by path, a page included.
 *
 * @throws UserError when a file is missing or damaged, or an option is out of range; UnsupportedError for lenses that are not read
 */
export async function readScene(folder: SceneFolder, options: ReadSceneOptions = {}): Promise<SplatScene> {
  const { train, test, ...scene } = await openSources(folder, options);
  const total = train.length + test.length;
  const turned: string[] = [];
  let done = 0;
  const all = async (views: readonly UnreadSource[]): Promise<readonly SceneView[]> => {
    const read: SceneView[] = [];
    for (const view of views) {
      const found = await view.read();
      if (found.turned) turned.push(view.name);
      read.push(found.view);
      options.onView?.({ done: ++done, total });
    }
    return read;
  };
  const views = { train: await all(train), test: await all(test) };
  if (turned.length === 0) return { ...scene, ...views };
  const remark = `${turned.length} of ${total} pictures are turned by their EXIF tag, as their cameras have the shape of turned ones`;
  return { ...scene, ...views, remarks: [...(scene.remarks ?? []), remark] };
}
