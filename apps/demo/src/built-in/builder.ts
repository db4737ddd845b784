import { type Gaussians } from '@langevin/gaussians';
import { SH_C0 } from '@langevin/io/splats';

export type Vector = readonly [number, number, number];

/** A flat Gaussian on a surface. */
export interface Patch {
  readonly at: Vector;
  /** Outwards, of length 1. */
  readonly normal: Vector;
  /** Linear, in 0..1. */
  readonly color: Vector;
  /** Deviation along the surface, in world units. */
  readonly size: number;
  /** @default 0.95 */
  readonly opacity?: number;
}

/** Where the light of the examples comes from. */
const LIGHT = unit([0.5, -0.8, 0.45]);
/** A patch is this much thinner than it is wide. */
const THINNESS = 0.15;

/** Gaussians of degree 0 from patches, shaded as if a lamp stood above them. */
export function fromPatches(patches: readonly Patch[]): Gaussians {
  const count = patches.length;
  const means = new Float32Array(3 * count);
  const quaternions = new Float32Array(4 * count);
  const logScales = new Float32Array(3 * count);
  const opacityLogits = new Float32Array(count);
  const sh = new Float32Array(3 * count);
  patches.forEach(({ at, normal, color, size, opacity = 0.95 }, i) => {
    means.set(at, 3 * i);
    quaternions.set(turnZTo(normal), 4 * i);
    logScales.set([Math.log(size), Math.log(size), Math.log(THINNESS * size)], 3 * i);
    opacityLogits[i] = Math.log(opacity / (1 - opacity));
    const light = 0.42 + 0.64 * Math.max(0, dot(normal, LIGHT));
    for (let c = 0; c < 3; c++) sh[3 * i + c] = (Math.min(1, color[c]! * light) - 0.5) / SH_C0;
  });
  return { count, degree: 0, means, quaternions, logScales, opacityLogits, sh };
}

/** Points spread evenly over the unit sphere: a Fibonacci lattice. */
export function spherePoints(count: number): readonly Vector[] {
  const golden = Math.PI * (3 - Math.sqrt(5));
  return Array.from({ length: count }, (_, i) => {
    const y = 1 - (2 * (i + 0.5)) / count;
    const radius = Math.sqrt(1 - y * y);
    return [radius * Math.cos(golden * i), y, radius * Math.sin(golden * i)];
  });
}

/** A colour of the wheel, 0..1 around it, soft enough for print. */
export function hue(turn: number): Vector {
  const channel = (shift: number): number => 0.55 + 0.4 * Math.cos(2 * Math.PI * (turn - shift));
  return [channel(0), channel(1 / 3), channel(2 / 3)];
}

export function unit(v: Vector): Vector {
  const length = Math.hypot(...v);
  return [v[0] / length, v[1] / length, v[2] / length];
}

export function cross(a: Vector, b: Vector): Vector {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

export function dot(a: Vector, b: Vector): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

/** The rotation (w, x, y, z) that takes z to a direction. */
function turnZTo([x, y, z]: Vector): readonly number[] {
  // Half way between both; for the opposite direction any axis across will do.
  return z < -0.9999 ? [0, 1, 0, 0] : [1 + z, -y, x, 0];
}
