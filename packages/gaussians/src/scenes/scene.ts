import { type Camera, cameraPosition } from '@langevin/core';
import type { Image } from '@langevin/io';
import type { FloatArray } from '../gaussians.ts';
import type { LeftOutView } from './source.ts';

/** A photograph with the camera that took it. */
export interface SceneView {
  readonly name: string;
  /** Of the size of the image, without distortion. */
  readonly camera: Camera;
  /** RGB, or RGBA whose alpha is the object before any background. */
  readonly image: Image;
  /** What counts, [height, width]: 255 wholly, 0 not at all. @default all of it */
  readonly mask?: Uint8Array;
  /** Distance along z in world units, [height, width]; 0 where nobody knows. */
  readonly depth?: Float32Array;
  /** When it was taken, in [0, 1]: 0 and 1 are the `times` of the scene. Missing where nothing moves. */
  readonly time?: number;
}

/** First and last moment of a scene in motion, in the units of its files; start < end. */
export interface SceneTimes {
  readonly start: number;
  readonly end: number;
}

/** Coloured points of a scene. */
export interface PointCloud {
  readonly count: number;
  /** World units, [count, 3]. */
  readonly positions: FloatArray;
  /** RGB, [count, 3]. */
  readonly colors: Uint8Array;
}

/** What Gaussians are trained on. */
export interface SplatScene {
  readonly name: string;
  readonly train: readonly SceneView[];
  /** Held out, for evaluation only. */
  readonly test: readonly SceneView[];
  readonly points?: PointCloud;
  /** {@link sceneExtent} of the training cameras. */
  readonly extent: number;
  /** Of a scene in motion, where every view has its time. */
  readonly times?: SceneTimes;
  /**
   * What is added to every place of this scene to have it where its files say. Only scenes far from their origin have one, as in
   * coordinates of maps, where float32 is too coarse.
   */
  readonly origin?: Vector;
  /** Which way is up in the world, of length 1, as the cameras stand; missing where they do not tell. */
  readonly up?: Vector;
  /** Views that its files list and that were left out. */
  readonly leftOut?: readonly LeftOutView[];
  /** What a user should know of how its files were read, a sentence each. */
  readonly remarks?: readonly string[];
}

/** A place or a direction. */
export type Vector = readonly [x: number, y: number, z: number];

/**
 * 1.1 times the largest distance of a camera from the mean of all: the unit of learning rates and of sizes (Kerbl et al. 2023). 1 for a
 * single place.
 */
export function sceneExtent(cameras: readonly Pick<Camera, 'worldToCamera'>[]): number {
  if (cameras.length === 0) return 1;
  const positions = cameras.map(cameraPosition);
  const centre = [0, 1, 2].map((axis) => positions.reduce((sum, position) => sum + position[axis]!, 0) / positions.length);
  const farthest = positions.reduce(
    (most, position) => Math.max(most, Math.hypot(...position.map((value, axis) => value - centre[axis]!))),
    0,
  );
  return farthest > 1e-9 ? 1.1 * farthest : 1;
}

/** The camera for a picture of another size of the same view. */
export function scaleCamera(camera: Camera, size: { readonly width: number; readonly height: number }): Camera {
  const { width, height } = size;
  const x = width / camera.width;
  const y = height / camera.height;
  return { ...camera, width, height, fx: camera.fx * x, fy: camera.fy * y, cx: camera.cx * x, cy: camera.cy * y };
}
