import { type Camera, cameraPosition } from '@langevin/core';
import { checkNumber, UserError, type Generator } from '@langevin/tensor';
import type { Gaussians, ShDegree } from '../gaussians.ts';
import { shCoefficients } from '../gaussians.ts';
import { logit } from '../shared-maths.ts';
import { meanSquaredDistances } from './nearest.ts';
import { colorAt, isThere } from './pixel.ts';
import type { PointCloud, SceneView } from './scene.ts';

/** First value of the spherical harmonics: 1 / (2 sqrt(pi)). */
export const SH_C0 = 0.28209479177387814;

export interface InitialiseOptions {
  /** Room for colours that depend on the direction. @default 3 */
  readonly degree?: ShDegree;
  /** 0 < opacity < 1. @default 0.1 (Kerbl et al. 2023); MCMC begins with 0.5 */
  readonly opacity?: number;
  /** Times the distance to the neighbours, > 0. @default 1; MCMC begins with 0.1 */
  readonly scale?: number;
}

/** Most Gaussians that a start may have. */
const MAX_POINTS = 50_000_000;

/**
 * A round Gaussian for each point: as wide as the root mean squared distance to its three nearest neighbours, in the point's colour.
 *
 * @throws UserError when there is no point, or an option is out of range
 */
export function gaussiansFromPoints(points: PointCloud, options: InitialiseOptions = {}): Gaussians {
  const { degree = 3, opacity = 0.1, scale = 1 } = options;
  const { count, positions, colors } = points;
  if (count < 1) throw new UserError('[gaussians/initialise] no point to start from: count=0. Use random points.');
  checkNumber('gaussians/initialise', { opacity }, { above: 0, below: 1 });
  checkNumber('gaussians/initialise', { scale }, { above: 0 });
  const coefficients = 3 * shCoefficients(degree);
  const quaternions = new Float32Array(4 * count);
  const logScales = new Float32Array(3 * count);
  const sh = new Float32Array(coefficients * count);
  const squared = meanSquaredDistances(positions);
  for (let i = 0; i < count; i++) {
    quaternions[4 * i] = 1;
    // The floor of the paper's code: points that coincide.
    logScales.fill(Math.log(scale * Math.sqrt(Math.max(squared[i]!, 1e-7))), 3 * i, 3 * i + 3);
    for (let c = 0; c < 3; c++) sh[coefficients * i + c] = (colors[3 * i + c]! / 255 - 0.5) / SH_C0;
  }
  return {
    count,
    degree,
    means: Float32Array.from(positions),
    quaternions,
    logScales,
    opacityLogits: new Float32Array(count).fill(logit(opacity)),
    sh,
  };
}

/**
 * Points of random colours in the box around a centre.
 *
 * @param options.halfSide half a side of the box, > 0, in world units; gsplat takes 3 times the scene's extent, Blender scenes 1.3
 */
export function randomPoints(options: {
  readonly count: number;
  readonly halfSide: number;
  readonly centre?: readonly [number, number, number];
  readonly random: Generator;
}): PointCloud {
  const { count, halfSide, centre = [0, 0, 0], random } = options;
  checkNumber('gaussians/initialise', { count }, { atLeast: 1, atMost: MAX_POINTS, kind: 'integer' });
  checkNumber('gaussians/initialise', { halfSide }, { above: 0 });
  const positions = random.uniform(3 * count).map((u, i) => centre[i % 3]! + (2 * u - 1) * halfSide);
  return { count, positions, colors: Uint8Array.from(random.integers(3 * count, { low: 0, high: 256 })) };
}

/**
 * The pixels of views whose depth is known, put where they are in the world; those that are masked or transparent show nothing of it.
 *
 * @param options.stride take each so many pixels along both axes. @default 4
 * @throws UserError when no view has depth
 */
export function pointsFromDepth(views: readonly SceneView[], options: { readonly stride?: number } = {}): PointCloud {
  const { stride = 4 } = options;
  checkNumber('gaussians/initialise', { stride }, { atLeast: 1, kind: 'integer' });
  const positions: number[] = [];
  const colors: number[] = [];
  for (const view of views) {
    const { camera, image, depth } = view;
    if (depth === undefined) continue;
    for (let y = stride >> 1; y < camera.height; y += stride) {
      for (let x = stride >> 1; x < camera.width; x += stride) {
        const pixel = y * camera.width + x;
        const z = depth[pixel]!;
        if (!(z > 0 && z < Infinity) || !isThere(view, pixel)) continue;
        positions.push(...backProject(camera, { x: x + 0.5, y: y + 0.5, z }));
        colors.push(...colorAt(image, pixel));
      }
    }
  }
  if (positions.length === 0)
    throw new UserError(`[gaussians/initialise] no pixel has a depth: views=${views.length}. Give views with depth, or use random points.`);
  return { count: positions.length / 3, positions: Float32Array.from(positions), colors: Uint8Array.from(colors) };
}

/** The point of the world that a camera sees at a pixel and depth. */
export function backProject(
  camera: Camera,
  { x, y, z }: { readonly x: number; readonly y: number; readonly z: number },
): readonly [number, number, number] {
  const { fx, fy, cx, cy, worldToCamera: w, kind } = camera;
  const depth = kind === 'orthographic' ? 1 : z;
  const seen = [((x - cx) / fx) * depth, ((y - cy) / fy) * depth, z];
  const eye = cameraPosition(camera);
  const axis = (column: number): number => eye[column]! + w[column]! * seen[0]! + w[4 + column]! * seen[1]! + w[8 + column]! * seen[2]!;
  return [axis(0), axis(1), axis(2)];
}
