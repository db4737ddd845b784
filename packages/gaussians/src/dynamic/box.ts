import { UserError } from '@langevin/tensor';
import type { FloatArray, Gaussians } from '../gaussians.ts';

/** Where the things are that move: a cube in which positions are measured. */
export interface Box {
  readonly center: readonly [number, number, number];
  /** Half of a side, > 0. */
  readonly radius: number;
}

/** The cube around the centres, with room for them to move. @param gaussians one at least */
export function boxOf({ means, count }: Gaussians<FloatArray>, options: { /** @default 1.5 */ readonly margin?: number } = {}): Box {
  if (count === 0) throw new UserError('[gaussians/dynamic] no Gaussians to move: count=0. Pass one at least.');
  const low = [Infinity, Infinity, Infinity];
  const high = [-Infinity, -Infinity, -Infinity];
  means.forEach((value, i) => {
    low[i % 3] = Math.min(low[i % 3]!, value);
    high[i % 3] = Math.max(high[i % 3]!, value);
  });
  const middle = (axis: number): number => (low[axis]! + high[axis]!) / 2;
  const radius = Math.max(...low.map((value, axis) => (high[axis]! - value) / 2));
  return checkBox({ center: [middle(0), middle(1), middle(2)], radius: (radius > 0 ? radius : 1) * (options.margin ?? 1.5) });
}

/** Throws a UserError unless it is a cube; it may come from a file. */
export function checkBox(box: unknown): Box {
  const { center, radius } = (box ?? {}) as Partial<Record<keyof Box, unknown>>;
  const finite = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);
  if (!Array.isArray(center) || center.length !== 3 || !center.every(finite) || !finite(radius) || radius <= 0) {
    throw new UserError(
      `[gaussians/dynamic] box is no cube: box=${JSON.stringify(box)}. Give a center of three finite numbers and a radius > 0.`,
    );
  }
  return { center: [center[0]!, center[1]!, center[2]!], radius };
}
