import { resizeArea, type Image } from '@langevin/io';
import { UserError } from '@langevin/tensor';
import { checkCamera, MAX_SIDE } from '../camera.ts';
import { findColmap, readColmap } from './colmap/folder.ts';
import type { SceneFolder } from './folder.ts';
import { isDistorted, sampleDepth, undistortedPinhole, undistortImage, type LensCamera, type Pinhole } from './lens.ts';
import { scaleCamera, sceneExtent, type PointCloud, type SceneTimes, type SceneView, type SplatScene } from './scene.ts';
import { splitViews, type HoldOut } from './split.ts';
import { findTransforms, readTransforms } from './transforms-folder.ts';

export interface ReadSceneOptions {
  /** Divide the sides of all images by this, >= 1. @default 1 */
  readonly downscale?: number;
  /** Shrink images until no side is longer than this, in pixels. @default as they are */
  readonly maxSide?: number;
  /** Of COLMAP scenes, where the images are. @default 'images' */
  readonly images?: string;
  /** The transforms.json to read, when it has another name. @default whatever is found */
  readonly transforms?: string;
  /** @default what the scene's own files say, otherwise every 8th by name */
  readonly holdOut?: HoldOut;
  /** Told after each photograph. */
  readonly onView?: (progress: { readonly done: number; readonly total: number }) => void;
}

/** A photograph before its pixels are read. */
export interface ViewSource {
  readonly name: string;
  readonly imagePath: string;
  readonly maskPath?: string;
  readonly depth?: { readonly path: string; /** World units of 1 in the file. */ readonly unit: number };
  /** When it was taken, in the units of the files. */
  readonly time?: number;
  readonly worldToCamera: readonly number[];
  readonly lens: (size: { readonly width: number; readonly height: number }) => LensCamera;
}

/** What the readers of the formats give. */
export interface SceneSource {
  readonly views: readonly ViewSource[];
  readonly points?: PointCloud;
  /** Names of views that the files hold out; empty when they do not say. */
  readonly heldOut: readonly string[];
}

/**
 * Read posed photographs: a COLMAP model (`sparse/0` or the folder itself, binary or text, with `images`), or a transforms.json of
 * nerfstudio or Blender. Lens distortion is taken out. Works wherever files can be read by path, a page included.
 *
 * @throws UserError when a file is missing or damaged, or an option is out of range; UnsupportedError for lenses that are not read
 */
export async function readScene(folder: SceneFolder, options: ReadSceneOptions = {}): Promise<SplatScene> {
  const { downscale = 1, maxSide = MAX_SIDE, onView } = options;
  if (!(downscale >= 1 && downscale <= MAX_SIDE)) throw new UserError(`[gaussians/scenes] downscale=${downscale} must be a number >= 1.`);
  if (!(maxSide >= 1 && maxSide <= MAX_SIDE))
    throw new UserError(`[gaussians/scenes] maxSide=${maxSide} must be a number from 1 to ${MAX_SIDE}.`);
  const source = await readSource(folder, options);
  if (source.views.length === 0)
    throw new UserError(`[gaussians/scenes] scene has no view: path=${folder.label('')}. Export the model again.`);
  const times = timesOf(source.views);
  const views: SceneView[] = [];
  for (const view of source.views) {
    views.push(await readView(folder, view, (image) => Math.max(downscale, Math.max(image.width, image.height) / maxSide), times));
    onView?.({ done: views.length, total: source.views.length });
  }
  const { train, test } = splitViews(views, options.holdOut ?? (source.heldOut.length > 0 ? { names: source.heldOut } : undefined));
  return {
    name: folder.name,
    train,
    test,
    ...(source.points && source.points.count > 0 && { points: source.points }),
    extent: sceneExtent(train.map(({ camera }) => camera)),
    ...(times && { times }),
  };
}

/** First and last moment of a scene in motion; undefined where all was taken at once. @throws UserError when only some views have a time */
function timesOf(views: readonly ViewSource[]): SceneTimes | undefined {
  const known = views.flatMap(({ time }) => (time === undefined ? [] : [time]));
  const start = known.reduce((least, time) => Math.min(least, time), Infinity);
  const end = known.reduce((most, time) => Math.max(most, time), -Infinity);
  if (!(start < end)) return undefined;
  const without = views.find(({ time }) => time === undefined);
  if (without !== undefined)
    throw new UserError(
      `[gaussians/scenes] some views have a time and some have none: view=${without.name}, with a time=${known.length} of `
        + `${views.length}. Give all of them one, or none.`,
    );
  return { start, end };
}

async function readSource(folder: SceneFolder, { transforms, images = 'images' }: ReadSceneOptions): Promise<SceneSource> {
  const found = transforms === undefined ? await findTransforms(folder) : [transforms];
  if (found.length > 0) return readTransforms(folder, found);
  const colmap = await findColmap(folder);
  if (colmap !== undefined) return readColmap(folder, colmap, images);
  const seen = (await folder.names()).slice(0, 8).join(', ');
  throw new UserError(
    `[gaussians/scenes] neither a COLMAP model nor a transforms.json: path=${folder.label('')}, found ${seen || 'nothing'}. Give a `
      + 'folder with sparse/0/cameras.bin (or .txt), or with transforms.json.',
  );
}

async function readView(
  folder: SceneFolder,
  view: ViewSource,
  divisor: (image: Image) => number,
  times: SceneTimes | undefined,
): Promise<SceneView> {
  const read = await folder.image(view.imagePath, 'rgba');
  const lens = rescaled(view.lens(read), read, view.name);
  const pinhole: Pinhole = isDistorted(lens) ? undistortedPinhole(lens) : lens;
  const straight = (image: Image): Image => (isDistorted(lens) ? undistortImage(image, lens, pinhole) : image);
  const size = { width: Math.max(1, Math.round(read.width / divisor(read))), height: Math.max(1, Math.round(read.height / divisor(read))) };
  // Averages of areas: nothing rings, and alpha stays in range.
  const shrunk = (image: Image): Image =>
    image.width === size.width && image.height === size.height ? straight(image) : resizeArea(straight(image), size);
  const { width, height, fx, fy, cx, cy } = pinhole;
  const camera = scaleCamera({ width, height, fx, fy, cx, cy, worldToCamera: view.worldToCamera }, size);
  checkCamera('gaussians/scenes', camera);
  const mask = view.maskPath === undefined ? undefined : await folder.image(view.maskPath, 'grey');
  if (mask !== undefined) sameSize('mask', mask, read, view.name);
  const map = view.depth === undefined ? undefined : await folder.depth?.(view.depth.path);
  if (map !== undefined) sameSize('depth map', map, read, view.name);
  return {
    name: view.name,
    camera,
    image: opaque(shrunk(read)),
    ...(mask && { mask: shrunk(mask).data }),
    ...(map && { depth: sampleDepth(map, lens, camera, view.depth!.unit) }),
    ...(times && { time: (view.time! - times.start) / (times.end - times.start) }),
  };
}

/** The camera of the picture that is there, which may be a smaller copy of the one that was calibrated. */
function rescaled(lens: LensCamera, image: Image, name: string): LensCamera {
  if (lens.width === image.width && lens.height === image.height) return lens;
  const x = image.width / lens.width;
  const y = image.height / lens.height;
  // Rounding of sides, not another picture.
  if (Math.abs(x - y) * Math.max(lens.width, lens.height) > 2) {
    throw new UserError(
      `[gaussians/scenes] image is not of its camera's shape: image "${name}" is ${image.width}x${image.height}, the camera `
        + `${lens.width}x${lens.height}. Use the images that the model was made from.`,
    );
  }
  return { ...lens, width: image.width, height: image.height, fx: lens.fx * x, fy: lens.fy * y, cx: lens.cx * x, cy: lens.cy * y };
}

function sameSize(what: string, mask: { readonly width: number; readonly height: number }, image: Image, name: string): void {
  if (mask.width === image.width && mask.height === image.height) return;
  throw new UserError(
    `[gaussians/scenes] ${what} is not of the size of its image: view "${name}", ${what} ${mask.width}x${mask.height}, image `
      + `${image.width}x${image.height}. Make them equal.`,
  );
}

/** Alpha that is 255 everywhere says nothing. */
function opaque(image: Image): Image {
  for (let at = 3; at < image.data.length; at += 4) if (image.data[at] !== 255) return image;
  const data = new Uint8Array(image.width * image.height * 3);
  for (let pixel = 0; pixel < image.width * image.height; pixel++) data.set(image.data.subarray(4 * pixel, 4 * pixel + 3), 3 * pixel);
  return { width: image.width, height: image.height, channels: 3, data };
}
