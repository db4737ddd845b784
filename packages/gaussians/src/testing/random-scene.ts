import { type Camera, lookAt } from '@langevin/core';
import { shCoefficients, type FloatArray, type Gaussians, type ShDegree } from '../gaussians.ts';

/** Numbers in [0, 1) that are the same for the same seed (mulberry32, public domain by its author). */
export function uniforms(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** What to make. */
export interface RandomSceneOptions {
  readonly seed: number;
  readonly count: number;
  /** @default 3 */
  readonly degree?: ShDegree;
  /** Sides of the picture. @default 32 */
  readonly size?: number;
  /** @default 'pinhole' */
  readonly kind?: 'pinhole' | 'orthographic';
  /** Least and most deviation along an axis, in world units; the scene is two units wide and the camera three away. @default [0.03, 0.4] */
  readonly scales?: readonly [number, number];
  /** @default [0.05, 0.95] */
  readonly opacities?: readonly [number, number];
}

/** Anisotropic Gaussians of all colours in front of a camera whose axis misses the middle of its picture. */
export function randomScene(options: RandomSceneOptions): { gaussians: Gaussians<Float64Array>; camera: Camera } {
  const { seed, count, degree = 3, size = 32, kind = 'pinhole', scales = [0.03, 0.4], opacities = [0.05, 0.95] } = options;
  const next = uniforms(seed);
  const between = (low: number, high: number): number => low + (high - low) * next();
  const fill = (length: number, value: () => number): Float64Array => Float64Array.from({ length }, value);
  const focal = kind === 'pinhole' ? size * between(1.1, 1.5) : (size / 3) * between(0.9, 1.2);
  const camera = lookAt({
    kind,
    width: size,
    height: Math.max(1, size - 5),
    fx: focal,
    fy: focal * between(0.9, 1.1),
    cx: size * between(0.4, 0.6),
    cy: size * between(0.35, 0.55),
    eye: [between(-1, 1), between(-1, 1), -3],
    target: [between(-0.3, 0.3), between(-0.3, 0.3), 0],
  });
  const gaussians = {
    count,
    degree,
    means: fill(3 * count, () => between(-1, 1)),
    quaternions: fill(4 * count, () => between(-1, 1)),
    logScales: fill(3 * count, () => between(Math.log(scales[0]), Math.log(scales[1]))),
    opacityLogits: fill(count, () => {
      const opacity = between(...opacities);
      return Math.log(opacity / (1 - opacity));
    }),
    sh: fill(3 * count * shCoefficients(degree), () => between(-0.35, 0.35)),
  };
  return { gaussians, camera };
}

/** The scene in float32, and again in float64 with the same numbers: what the fast rasterizers and the reference are compared on. */
export function inBothPrecisions(gaussians: Gaussians<Float64Array>): { single: Gaussians; double: Gaussians<Float64Array> } {
  const map = <A extends FloatArray>(to: (array: Float64Array) => A): Gaussians<A> => ({
    count: gaussians.count,
    degree: gaussians.degree,
    means: to(gaussians.means),
    quaternions: to(gaussians.quaternions),
    logScales: to(gaussians.logScales),
    opacityLogits: to(gaussians.opacityLogits),
    sh: to(gaussians.sh),
  });
  return { single: map((array) => Float32Array.from(array)), double: map((array) => Float64Array.from(Float32Array.from(array))) };
}
