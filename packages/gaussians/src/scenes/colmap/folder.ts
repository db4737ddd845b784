import { UserError } from '@langevin/tensor';
import { joinPath, type SceneFolder } from '../folder.ts';
import { findFile } from '../paths.ts';
import type { LeftOutView, SceneSource, ViewSource } from '../source.ts';
import { countImages, parseColmapBinary } from './binary.ts';
import type { ColmapModel } from './model.ts';
import { parseColmapText } from './text.ts';

/** The largest file of a model that is read: a hundred million points without tracks. */
const MAX_BYTES = 4 * 1024 ** 3 - 1;

/** Where COLMAP and its users put models; an asterisk stands for the number that COLMAP gives to each part that it could not join. */
const PLACES = ['sparse/*', 'sparse', 'colmap/sparse/*', ''];

/** COLMAP numbers its models from 0; so many are looked for, whatever is missing in between. */
const MOST_MODELS = 100;

/** Where pictures lie beside a model when nobody says: COLMAP's own place, where its names may begin, and that of Inria's converter. */
const PICTURES = ['images', '', 'input'];

/** A COLMAP model in a folder, and in which form. */
interface ColmapPlace {
  readonly folder: string;
  readonly form: 'bin' | 'txt';
}

/** A model that is read, and those that were left for it. */
export interface ColmapChoice extends ColmapPlace {
  readonly remarks: readonly string[];
}

/**
 * The model with the most images: COLMAP writes one for each part of the photographs that it could not join with the others, in no order.
 *
 * @param model the folder of the one to take. @default the largest
 * @throws UserError when that one is not there
 */
export async function findColmap(files: SceneFolder, model?: string): Promise<ColmapChoice | undefined> {
  if (model !== undefined) {
    const place = await placeIn(files, joinPath(...model.split(/[/\\]/)));
    if (place !== undefined) return { ...place, remarks: [] };
    throw new UserError(
      `[gaussians/scenes] no COLMAP model there: model=${JSON.stringify(model)}, scene=${files.label('')}. Name a folder of the scene `
        + 'that has cameras.bin or cameras.txt.',
    );
  }
  for (const pattern of PLACES) {
    const folders = pattern.endsWith('*') ? Array.from({ length: MOST_MODELS }, (_, i) => pattern.replace('*', String(i))) : [pattern];
    const found: ColmapPlace[] = [];
    for (const folder of folders) {
      const place = await placeIn(files, folder);
      if (place !== undefined) found.push(place);
    }
    if (found.length === 1) return { ...found[0]!, remarks: [] };
    if (found.length > 1) return largest(files, found);
  }
  return undefined;
}

async function placeIn(files: SceneFolder, folder: string): Promise<ColmapPlace | undefined> {
  for (const form of ['bin', 'txt'] as const) if (await files.has(joinPath(folder, `cameras.${form}`))) return { folder, form };
  return undefined;
}

async function largest(files: SceneFolder, places: readonly ColmapPlace[]): Promise<ColmapChoice> {
  const sizes: { readonly place: ColmapPlace; readonly images: number }[] = [];
  for (const place of places) {
    const bytes = await readFile(files, place, 'images');
    // The count of text models is in no header that every program writes.
    const images = place.form === 'bin' ? countImages(bytes) : (await readModel(files, place)).images.length;
    sizes.push({ place, images });
  }
  const [first, ...others] = sizes.sort((a, b) => b.images - a.images);
  const named = others.map(({ place, images }) => `${place.folder} with ${images}`).join(', ');
  return {
    ...first!.place,
    remarks: [
      `of ${sizes.length} COLMAP models the largest is read, ${first!.place.folder} with ${first!.images} images; left are ${named}`,
    ],
  };
}

function readFile(files: SceneFolder, { folder, form }: ColmapPlace, name: string): Promise<Uint8Array> {
  return files.bytes(joinPath(folder, `${name}.${form}`), { maxBytes: MAX_BYTES });
}

async function readModel(files: SceneFolder, place: ColmapPlace): Promise<ColmapModel> {
  const hasPoints = await files.has(joinPath(place.folder, `points3D.${place.form}`));
  const bytes = {
    cameras: await readFile(files, place, 'cameras'),
    images: await readFile(files, place, 'images'),
    ...(hasPoints && { points: await readFile(files, place, 'points3D') }),
  };
  if (place.form === 'bin') return parseColmapBinary(bytes);
  const text = (file: Uint8Array): string => new TextDecoder().decode(file);
  return parseColmapText({
    cameras: text(bytes.cameras),
    images: text(bytes.images),
    ...(bytes.points && { points: text(bytes.points) }),
  });
}

/** @param images the folder of the pictures. @default wherever they are beside the model */
export async function readColmap(files: SceneFolder, choice: ColmapChoice, images?: string): Promise<SceneSource> {
  const model = await readModel(files, choice);
  const roots = images === undefined ? [...PICTURES, choice.folder] : [images];
  const views: ViewSource[] = [];
  const leftOut: LeftOutView[] = [...model.leftOut];
  for (const { name, cameraId, worldToCamera } of model.images) {
    const lens = model.cameras.get(cameraId)!;
    const picture = await findFile(files, name, roots);
    if (picture === undefined) {
      leftOut.push({ name, reason: `its picture is not in ${images ?? 'images/, nor beside the model'}` });
      continue;
    }
    const maskPath = await maskOf(files, name);
    views.push({ name, imagePath: picture.path, ...(maskPath !== undefined && { maskPath }), worldToCamera, lens: () => lens });
  }
  const remarks = [...choice.remarks, ...(model.points.count === 0 ? ['the model has no points'] : [])];
  return { points: model.points, heldOut: [], views, leftOut, remarks };
}

/** COLMAP's own place for the mask of `images/a.jpg` is `masks/a.jpg.png`; others write `masks/a.png`, or the same name. */
async function maskOf(files: SceneFolder, name: string): Promise<string | undefined> {
  for (const candidate of [`${name}.png`, name.replace(/\.[^./]+$/, '.png'), name]) {
    const found = await findFile(files, candidate, ['masks']);
    if (found?.how === 'named') return found.path;
  }
  return undefined;
}
