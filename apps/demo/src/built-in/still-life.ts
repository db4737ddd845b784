import type { Gaussians } from '@langevin/gaussians';
import { cross, fromPatches, hue, spherePoints, unit, type Patch, type Vector } from './builder.ts';

/** What can be chosen of the still life. */
export interface StillLifeOptions {
  /** Patches of the knot, which has most of them. @default 5200 */
  readonly knot?: number;
}

/**
 * A trefoil knot above a chequered disc, with three balls around it; y points down, the disc lies at y = 0.62. No random numbers: it is the
 * same everywhere.
 */
export function stillLife(options: StillLifeOptions = {}): Gaussians {
  const { knot = 5200 } = options;
  return fromPatches([...disc(3600), ...trefoil(knot), ...BALLS.flatMap((ball) => sphere(ball, 420))]);
}

const FLOOR = 0.62;

const BALLS: readonly { readonly at: Vector; readonly radius: number; readonly color: Vector }[] = [
  { at: [-0.95, FLOOR - 0.2, -0.45], radius: 0.2, color: [0.93, 0.42, 0.3] },
  { at: [0.9, FLOOR - 0.16, -0.6], radius: 0.16, color: [0.28, 0.62, 0.9] },
  { at: [0.25, FLOOR - 0.24, 1.0], radius: 0.24, color: [0.96, 0.82, 0.35] },
];

function disc(count: number): readonly Patch[] {
  const golden = Math.PI * (3 - Math.sqrt(5));
  return Array.from({ length: count }, (_, i) => {
    const radius = 1.5 * Math.sqrt((i + 0.5) / count);
    const at: Vector = [radius * Math.cos(golden * i), FLOOR, radius * Math.sin(golden * i)];
    const dark = (Math.floor(at[0] / 0.3) + Math.floor(at[2] / 0.3)) % 2 === 0;
    return { at, normal: [0, -1, 0], color: dark ? [0.3, 0.33, 0.38] : [0.9, 0.88, 0.83], size: 0.025 };
  });
}

/** A tube around the trefoil. */
function trefoil(count: number): readonly Patch[] {
  const around = Math.round(Math.sqrt(count / 12));
  const along = Math.floor(count / around);
  const curve = (t: number): Vector => {
    const a = 2 * Math.PI * t;
    const scale = 0.27;
    return [
      scale * (Math.sin(a) + 2 * Math.sin(2 * a)),
      scale * (Math.cos(a) - 2 * Math.cos(2 * a)) - 0.28,
      -scale * 1.15 * Math.sin(3 * a),
    ];
  };
  return Array.from({ length: along }, (_, i) => i / along).flatMap((t) => {
    const middle = curve(t);
    const ahead = curve(t + 1e-4);
    const tangent = unit([ahead[0] - middle[0], ahead[1] - middle[1], ahead[2] - middle[2]]);
    const side = unit(cross(tangent, [0.3, 1, 0.2]));
    const other = cross(tangent, side);
    return Array.from({ length: around }, (_, j) => {
      const angle = (2 * Math.PI * (j + 0.5 * ((t * along) % 2))) / around;
      const normal: Vector = [0, 1, 2].map((axis) => Math.cos(angle) * side[axis]! + Math.sin(angle) * other[axis]!) as unknown as Vector;
      const at: Vector = [middle[0] + 0.13 * normal[0], middle[1] + 0.13 * normal[1], middle[2] + 0.13 * normal[2]];
      const stripe = Math.floor(24 * t) % 2 === 0 ? 1 : 0.82;
      const color = hue(t);
      return { at, normal, color: [stripe * color[0], stripe * color[1], stripe * color[2]], size: 0.021 };
    });
  });
}

function sphere({ at, radius, color }: (typeof BALLS)[number], count: number): readonly Patch[] {
  return spherePoints(count).map((normal) => ({
    at: [at[0] + radius * normal[0], at[1] + radius * normal[1], at[2] + radius * normal[2]],
    normal,
    color,
    size: (radius * 1.7) / Math.sqrt(count),
  }));
}
