import { type Camera, cameraPosition } from '@langevin/core';
import { checkNumber, UserError, type Generator } from '@langevin/tensor';
import { backProject } from './initialise.ts';
import { colorAt, isThere, type Color } from './pixel.ts';
import type { PointCloud, SceneView } from './scene.ts';

export interface PointsFromViewsOptions {
  /** Points to make, 1..1e6. */
  readonly count: number;
  readonly random: Generator;
}

/** Distances that are tried along a ray, as parts of that to the middle of the scene: evenly in disparity, as far things need fewer. */
const NEAREST = 0.4;
const FARTHEST = 2.5;
const DEPTHS = 40;
/** Other views that a place is compared in: the nearest ones see most of what this one sees. */
const SOURCE_VIEWS = 4;
/** A ray that finds nothing of its colour is given up, and another is drawn, so many times per point. */
const TRIES = 3;

type Vector = readonly [number, number, number];

/**
 * Points where photographs agree: a pixel is drawn, the patch around it is put at distances along its ray and projected into the nearest
 * other views, and the place where it differs least becomes a point of the pixel's colour. Places that any of these views knows to be empty
 * (transparent or masked) do not count, nor do patches that look the same at most distances. Rough, and better to begin with than points
 * anywhere.
 *
 * @param views of one moment, two at least
 * @throws UserError for fewer views, a count out of range, or when no place fits
 */
export function pointsFromViews(views: readonly SceneView[], { count, random }: PointsFromViewsOptions): PointCloud {
  checkNumber('gaussians/initialise', { count }, { atLeast: 1, atMost: 1_000_000, kind: 'integer' });
  if (views.length < 2)
    throw new UserError(
      `[gaussians/initialise] one view says nothing about distances: views=${views.length}. Give two at least, or use random points.`,
    );
  const middle = lookedAt(views.map(({ camera }) => camera));
  const sources = views.map((view) => nearestTo(view, views));
  const positions = new Float32Array(3 * count);
  const colors = new Uint8Array(3 * count);
  const draws = random.uniform(3 * TRIES * count);
  let made = 0;
  for (let i = 0; i < TRIES * count && made < count; i++) {
    const index = Math.min(views.length - 1, Math.floor(draws[3 * i]! * views.length));
    const view = views[index]!;
    const { camera, image } = view;
    const [x, y] = [Math.floor(draws[3 * i + 1]! * camera.width), Math.floor(draws[3 * i + 2]! * camera.height)];
    const pixel = y * camera.width + x;
    if (!isThere(view, pixel)) continue;
    const found = agreedPlace({ view, x, y, middle }, sources[index]!);
    if (found === undefined) continue;
    positions.set(found, 3 * made);
    colors.set(colorAt(image, pixel), 3 * made);
    made++;
  }
  if (made === 0)
    throw new UserError(
      `[gaussians/initialise] photographs agree nowhere: views=${views.length}. Check the poses and masks, or use random points.`,
    );
  return { count: made, positions: positions.slice(0, 3 * made), colors: colors.slice(0, 3 * made) };
}

/** The point nearest to all optical axes: what the cameras look at. */
export function lookedAt(cameras: readonly Camera[]): Vector {
  // Sum over axes of (I - d d^T) (p - eye) = 0, with a touch of the mean so that parallel axes have an answer too.
  const a = [0, 0, 0, 0, 0, 0, 0, 0, 0];
  const b = [0, 0, 0];
  for (const camera of cameras) {
    const eye = cameraPosition(camera);
    const forward = [8, 9, 10].map((at) => camera.worldToCamera[at]!);
    for (let row = 0; row < 3; row++) {
      for (let column = 0; column < 3; column++) {
        const part = (row === column ? 1 + 1e-6 : 0) - forward[row]! * forward[column]!;
        a[3 * row + column]! += part;
        b[row]! += part * eye[column]!;
      }
    }
  }
  const minor = (r: number, c: number): number => {
    const [r0, r1] = [(r + 1) % 3, (r + 2) % 3];
    const [c0, c1] = [(c + 1) % 3, (c + 2) % 3];
    return a[3 * r0 + c0]! * a[3 * r1 + c1]! - a[3 * r0 + c1]! * a[3 * r1 + c0]!;
  };
  const determinant = a[0]! * minor(0, 0) + a[1]! * minor(0, 1) + a[2]! * minor(0, 2);
  const at = (row: number): number => (b[0]! * minor(0, row) + b[1]! * minor(1, row) + b[2]! * minor(2, row)) / determinant;
  return [at(0), at(1), at(2)];
}

interface Ray {
  readonly view: SceneView;
  readonly x: number;
  readonly y: number;
  readonly middle: Vector;
}

/** Mean difference of bytes above which patches are taken to show different things. */
const MOST_DIFFERENCE = 30;
/** Where a patch is found at most distances, as that of a wall or of no background, its place is unknown. */
const MOST_AGREEING = DEPTHS / 2;
/** Pixels of a patch: this many steps to each side, so wide that they span a 32nd of the picture. */
const PATCH = [-1, 0, 1];
const PATCH_PART = 64;

/**
 * Where along a ray the sources see the same patch; undefined when they see something else, or nothing, everywhere, or the same
 * everywhere.
 */
function agreedPlace({ view, x, y, middle }: Ray, sources: readonly SceneView[]): Vector | undefined {
  const { camera } = view;
  const distance = Math.max(1e-6, depthIn(camera, middle));
  const patch = patchAt(view, x, y);
  const color = colorAt(view.image, y * camera.width + x);
  let best = MOST_DIFFERENCE;
  let found: Vector | undefined;
  let agreeing = 0;
  for (let step = 0; step < DEPTHS; step++) {
    const disparity = 1 / FARTHEST + ((1 / NEAREST - 1 / FARTHEST) * (step + 0.5)) / DEPTHS;
    const z = distance / disparity;
    const place = backProject(camera, { x: x + 0.5, y: y + 0.5, z });
    const difference = differenceAt({ camera, middle: color, patch, place, z }, sources);
    if (difference < MOST_DIFFERENCE) agreeing++;
    if (difference < best) {
      best = difference;
      found = place;
    }
  }
  return agreeing <= MOST_AGREEING ? found : undefined;
}

interface PatchPixel {
  readonly x: number;
  readonly y: number;
  readonly color: Color;
}

function patchAt({ image, camera: { width, height } }: SceneView, x: number, y: number): readonly PatchPixel[] {
  const step = Math.max(1, Math.round(width / PATCH_PART));
  return PATCH.flatMap((dy) =>
    PATCH.flatMap((dx) => {
      const [u, v] = [x + step * dx, y + step * dy];
      return u < 0 || v < 0 || u >= width || v >= height ? [] : [{ x: u + 0.5, y: v + 0.5, color: colorAt(image, v * width + u) }];
    }),
  );
}

/**
 * Mean difference of a patch, put at a depth, from what the better half of the sources see there: the others may see something in front
 * of it.
 */
function differenceAt(
  {
    camera,
    middle,
    patch,
    place,
    z,
  }: { readonly camera: Camera; readonly middle: Color; readonly patch: readonly PatchPixel[]; readonly place: Vector; readonly z: number },
  sources: readonly SceneView[],
): number {
  const differences: number[] = [];
  for (const source of sources) {
    const pixel = pixelOf(source.camera, place);
    if (pixel === undefined) continue;
    if (!isThere(source, pixel)) return Infinity;
    // Most places end here: the middle of the patch is of another colour.
    if (distanceOf(colorAt(source.image, pixel), middle) > 2 * MOST_DIFFERENCE) {
      differences.push(Infinity);
      continue;
    }
    let sum = 0;
    let seen = 0;
    for (const { x, y, color } of patch) {
      const at = pixelOf(source.camera, backProject(camera, { x, y, z }));
      if (at === undefined) continue;
      sum += distanceOf(colorAt(source.image, at), color);
      seen++;
    }
    differences.push(seen === 0 ? Infinity : sum / seen);
  }
  if (differences.length === 0) return Infinity;
  const better = differences.sort((a, b) => a - b).slice(0, Math.ceil(differences.length / 2));
  return better.reduce((total, value) => total + value, 0) / better.length;
}

/** Which pixel of a camera sees a place; undefined when none does. */
function pixelOf(camera: Camera, place: Vector): number | undefined {
  const z = depthIn(camera, place);
  if (camera.kind !== 'orthographic' && !(z > 1e-6)) return undefined;
  const scale = camera.kind === 'orthographic' ? 1 : 1 / z;
  const u = Math.floor(camera.fx * along(camera, place, 0) * scale + camera.cx);
  const v = Math.floor(camera.fy * along(camera, place, 4) * scale + camera.cy);
  return u < 0 || v < 0 || u >= camera.width || v >= camera.height ? undefined : v * camera.width + u;
}

function along({ worldToCamera: w }: Camera, [x, y, z]: Vector, row: 0 | 4 | 8): number {
  return w[row]! * x + w[row + 1]! * y + w[row + 2]! * z + w[row + 3]!;
}

function depthIn(camera: Camera, place: Vector): number {
  return along(camera, place, 8);
}

/** Mean difference of the channels, in bytes. */
function distanceOf(a: Color, b: Color): number {
  return (Math.abs(a[0] - b[0]) + Math.abs(a[1] - b[1]) + Math.abs(a[2] - b[2])) / 3;
}

function nearestTo(view: SceneView, views: readonly SceneView[]): readonly SceneView[] {
  const eye = cameraPosition(view.camera);
  const distance = ({ camera }: SceneView): number => Math.hypot(...cameraPosition(camera).map((value, axis) => value - eye[axis]!));
  return views
    .filter((other) => other !== view)
    .sort((a, b) => distance(a) - distance(b))
    .slice(0, SOURCE_VIEWS);
}
