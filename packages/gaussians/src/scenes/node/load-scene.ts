import { readdir, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import type { Image } from '@langevin/io';
import { readImage, resizeImage } from '@langevin/io/node';
import { UserError } from '@langevin/tensor';
import { checkCamera, MAX_SIDE } from '../../camera.ts';
import { isDistorted, undistortedPinhole, undistortImage, type LensCamera, type Pinhole } from '../lens.ts';
import { scaleCamera, sceneExtent, type PointCloud, type SceneView, type SplatScene } from '../scene.ts';
import { splitViews, type HoldOut } from '../split.ts';
import { findColmap, readColmap } from './colmap-files.ts';
import { findTransforms, readTransforms } from './transforms-files.ts';

export interface LoadSceneOptions {
  /** Divide the sides of all images by this, >= 1. @default 1 */
  readonly downscale?: number;
  /** Of COLMAP scenes, where the images are. @default `images` in the folder */
  readonly images?: string;
  /** @default what the scene's own files say, otherwise every 8th by name */
  readonly holdOut?: HoldOut;
}

/** A photograph before its pixels are read. */
export interface ViewSource {
  readonly name: string;
  readonly imagePath: string;
  readonly maskPath?: string;
  readonly worldToCamera: readonly number[];
  readonly lens: (size: { readonly width: number; readonly height: number }) => LensCamera;
}

/** What the readers of scene folders give. */
export interface SceneSource {
  readonly views: readonly ViewSource[];
  readonly points?: PointCloud;
  /** Names of views that the files hold out; empty when they do not say. */
  readonly heldOut: readonly string[];
}

/**
 * Read posed photographs: the folder of a COLMAP model (`sparse/0` or the folder itself, binary or text, with `images`), or one with a
 * transforms.json of nerfstudio or Blender. Lens distortion is taken out.
 *
 * @throws UserError when a file is missing or damaged, or an option is out of range; UnsupportedError for lenses that are not read
 * @example
 * const scene = await loadScene('data/garden', { downscale: 4 });
 */
export async function loadScene(path: string, options: LoadSceneOptions = {}): Promise<SplatScene> {
  const { downscale = 1 } = options;
  if (!(downscale >= 1 && downscale <= MAX_SIDE)) throw new UserError(`[gaussians/scenes] downscale=${downscale} must be a number >= 1.`);
  const source = await readSource(path, options);
  if (source.views.length === 0) throw new UserError(`[gaussians/scenes] scene has no view: path=${path}. Export the model again.`);
  const views: SceneView[] = [];
  for (const view of source.views) views.push(await readView(view, downscale));
  const { train, test } = splitViews(views, options.holdOut ?? (source.heldOut.length > 0 ? { names: source.heldOut } : undefined));
  return { name: basename(resolve(path)), train, test, ...(source.points && source.points.count > 0 && { points: source.points }), extent: sceneExtent(train.map(({ camera }) => camera)) };
}

async function readSource(path: string, options: LoadSceneOptions): Promise<SceneSource> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw new UserError(`[gaussians/scenes] no scene there: path=${path}. Check the path.`);
  const transforms = await findTransforms(path);
  if (transforms.length > 0) return readTransforms(transforms);
  const colmap = found.isDirectory() ? await findColmap(path) : undefined;
  if (colmap !== undefined) return readColmap(colmap, options.images ?? join(path, 'images'));
  const seen = found.isDirectory() ? (await readdir(path)).slice(0, 8).join(', ') : basename(path);
  throw new UserError(`[gaussians/scenes] neither a COLMAP model nor a transforms.json: path=${path}, found ${seen || 'nothing'}. Give a folder with sparse/0/cameras.bin (or .txt), or with transforms.json.`);
}

async function readView(view: ViewSource, downscale: number): Promise<SceneView> {
  const read = await readImage(view.imagePath, { channels: 'rgba' });
  const lens = rescaled(view.lens(read), read, view.name);
  const pinhole: Pinhole = isDistorted(lens) ? undistortedPinhole(lens) : lens;
  const straight = (image: Image): Image => (isDistorted(lens) ? undistortImage(image, lens, pinhole) : image);
  const size = { width: Math.max(1, Math.round(read.width / downscale)), height: Math.max(1, Math.round(read.height / downscale)) };
  // Averages of areas: nothing rings, and alpha stays in range.
  const shrunk = async (image: Image): Promise<Image> => resizeImage(straight(image), { ...size, kernel: 'area' });
  const { width, height, fx, fy, cx, cy } = pinhole;
  const camera = scaleCamera({ width, height, fx, fy, cx, cy, worldToCamera: view.worldToCamera }, size);
  checkCamera('gaussians/scenes', camera);
  const mask = view.maskPath === undefined ? undefined : await readImage(view.maskPath, { channels: 'grey' });
  if (mask !== undefined) sameSize(mask, read, view.name);
  return { name: view.name, camera, image: opaque(await shrunk(read)), ...(mask && { mask: (await shrunk(mask)).data }) };
}

/** The camera of the picture that is there, which may be a smaller copy of the one that was calibrated. */
function rescaled(lens: LensCamera, image: Image, name: string): LensCamera {
  if (lens.width === image.width && lens.height === image.height) return lens;
  const x = image.width / lens.width;
  const y = image.height / lens.height;
  // Rounding of sides, not another picture.
  if (Math.abs(x - y) * Math.max(lens.width, lens.height) > 2) {
    throw new UserError(`[gaussians/scenes] image is not of its camera's shape: image "${name}" is ${image.width}x${image.height}, the camera ${lens.width}x${lens.height}. Use the images that the model was made from.`);
  }
  return { ...lens, width: image.width, height: image.height, fx: lens.fx * x, fy: lens.fy * y, cx: lens.cx * x, cy: lens.cy * y };
}

function sameSize(mask: Image, image: Image, name: string): void {
  if (mask.width === image.width && mask.height === image.height) return;
  throw new UserError(`[gaussians/scenes] mask is not of the size of its image: view "${name}", mask ${mask.width}x${mask.height}, image ${image.width}x${image.height}. Make them equal.`);
}

/** Alpha that is 255 everywhere says nothing. */
function opaque(image: Image): Image {
  for (let at = 3; at < image.data.length; at += 4) if (image.data[at] !== 255) return image;
  const data = new Uint8Array(image.width * image.height * 3);
  for (let pixel = 0; pixel < image.width * image.height; pixel++) data.set(image.data.subarray(4 * pixel, 4 * pixel + 3), 3 * pixel);
  return { width: image.width, height: image.height, channels: 3, data };
}
