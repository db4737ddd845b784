import { checkCamera } from '@langevin/core';
import { resizeArea, type Image } from '@langevin/io';
import { UserError } from '@langevin/tensor';
import type { SceneFolder } from './folder.ts';
import {
  hasShapeOf,
  isDistorted,
  resizedLens,
  sampleDepth,
  undistortedPinhole,
  undistortImage,
  type LensCamera,
  type Pinhole,
  type Size,
} from './lens.ts';
import { scaleCamera, type SceneTimes, type SceneView } from './scene.ts';
import type { ViewSource } from './source.ts';

/** What pictures are shrunk to. */
export interface PictureSizes {
  /** Sides are divided by this, >= 1. */
  readonly downscale: number;
  /** and are no longer than this, in pixels. */
  readonly maxSide: number;
}

/** A view as it is read. */
export interface ReadView {
  readonly view: SceneView;
  /** Whether its picture had to be turned by its EXIF tag to have the shape of its camera. */
  readonly turned: boolean;
}

/**
 * Reads a view's picture, mask and depth, and takes the distortion of its lens out of all of them.
 *
 * @throws UserError when a file is damaged, or not of its camera's shape
 */
export async function readView(
  folder: SceneFolder,
  view: ViewSource,
  { downscale, maxSide, times }: PictureSizes & { readonly times: SceneTimes | undefined },
): Promise<ReadView> {
  const { picture, lens, turned } = await pictureAndLens(folder, view);
  const pinhole: Pinhole = isDistorted(lens) ? undistortedPinhole(lens) : lens;
  const straight = (image: Image): Image => (isDistorted(lens) ? undistortImage(image, lens, pinhole) : image);
  const divisor = Math.max(downscale, Math.max(picture.width, picture.height) / maxSide);
  const size = { width: side(picture.width / divisor), height: side(picture.height / divisor) };
  // Averages of areas: nothing rings, and alpha stays in range.
  const shrunk = (image: Image): Image => (isOfSize(image, size) ? straight(image) : resizeArea(straight(image), size));
  const { width, height, fx, fy, cx, cy } = pinhole;
  const camera = scaleCamera({ width, height, fx, fy, cx, cy, worldToCamera: view.worldToCamera }, size);
  checkCamera('gaussians/scenes', camera);
  const orientation = turned ? 'upright' : 'stored';
  const mask = view.maskPath === undefined ? undefined : await folder.image(view.maskPath, { channels: 'grey', orientation });
  if (mask !== undefined) checkShape('mask', mask, { name: view.name, picture });
  const map = view.depth === undefined ? undefined : await folder.depth?.(view.depth.path);
  if (map !== undefined) checkShape('depth map', map, { name: view.name, picture });
  const { name, time } = view;
  return {
    turned,
    view: {
      name,
      camera,
      image: opaque(shrunk(picture)),
      ...(mask && { mask: shrunk(isOfSize(mask, picture) ? mask : resizeArea(mask, picture)).data }),
      ...(map && { depth: sampleDepth({ ...map, unit: view.depth!.unit }, lens, camera) }),
      ...(times && { time: (time! - times.start) / (times.end - times.start) }),
    },
  };
}

/**
 * The picture as it is stored, since poses are of stored pixels, with its lens. Where that has not the shape of its camera and the picture
 * turned by its EXIF tag has, the camera was calibrated on turned pictures.
 */
async function pictureAndLens(
  folder: SceneFolder,
  { imagePath, lens: lensFor, name }: ViewSource,
): Promise<{ readonly picture: Image; readonly lens: LensCamera; readonly turned: boolean }> {
  const stored = await folder.image(imagePath, { channels: 'rgba', orientation: 'stored' });
  const lens = lensFor(stored);
  if (hasShapeOf(stored, lens)) return { picture: stored, lens: resizedLens(lens, stored), turned: false };
  const upright = await folder.image(imagePath, { channels: 'rgba', orientation: 'upright' });
  if (!isOfSize(upright, stored) && hasShapeOf(upright, lens)) return { picture: upright, lens: resizedLens(lens, upright), turned: true };
  throw new UserError(
    `[gaussians/scenes] image is not of its camera's shape: image "${name}" is ${stored.width}x${stored.height}, the camera `
      + `${lens.width}x${lens.height}. Use the images that the model was made from.`,
  );
}

function checkShape(what: string, map: Size, { name, picture }: { readonly name: string; readonly picture: Size }): void {
  if (hasShapeOf(map, picture)) return;
  throw new UserError(
    `[gaussians/scenes] ${what} is not of the shape of its image: view "${name}", ${what} ${map.width}x${map.height}, image `
      + `${picture.width}x${picture.height}. Cut it as the image is, or shrink or enlarge it alike.`,
  );
}

function side(pixels: number): number {
  return Math.max(1, Math.round(pixels));
}

function isOfSize(image: Size, { width, height }: Size): boolean {
  return image.width === width && image.height === height;
}

/** Alpha that is 255 everywhere says nothing. */
function opaque(image: Image): Image {
  for (let at = 3; at < image.data.length; at += 4) if (image.data[at] !== 255) return image;
  const data = new Uint8Array(image.width * image.height * 3);
  for (let pixel = 0; pixel < image.width * image.height; pixel++) data.set(image.data.subarray(4 * pixel, 4 * pixel + 3), 3 * pixel);
  return { width: image.width, height: image.height, channels: 3, data };
}
