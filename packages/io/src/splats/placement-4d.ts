import { UserError } from '@langevin/tensor';
import * as v from 'valibot';
import type { SplatAsset4d } from './asset-4d.ts';

/** Where an asset stands in a scene, x' = scale R x + translation, and when its own time runs there. */
export interface SplatPlacement {
  /** World units. @default [0, 0, 0] */
  readonly translation?: readonly [number, number, number];
  /** Quaternion (w, x, y, z) of any length above 0. @default [1, 0, 0, 0] */
  readonly rotation?: readonly [number, number, number, number];
  /** > 0. @default 1 */
  readonly scale?: number;
  /** When its own time begins, in seconds of the scene. @default the start of its times */
  readonly offset?: number;
  /** Seconds of the scene that its own time takes, > 0. @default as long as its times */
  readonly duration?: number;
  /** Before its beginning and after its end it stands still, begins anew, or runs back and forth. @default what its times say */
  readonly beyond?: 'hold' | 'loop' | 'mirror';
}

/** Several assets, each in its place and with a time of its own. */
export interface SplatScene4d {
  readonly assets: readonly (SplatAsset4d & { readonly placement: SplatPlacement })[];
}

const within = (least: number, most: number) => v.pipe(v.number(), v.finite(), v.minValue(least), v.maxValue(most));
const coordinate = within(-1e9, 1e9);

/** A placement in the JSON of a file. */
export const PLACEMENT = v.strictObject({
  translation: v.optional(v.strictTuple([coordinate, coordinate, coordinate])),
  rotation: v.optional(v.strictTuple([coordinate, coordinate, coordinate, coordinate])),
  scale: v.optional(within(1e-9, 1e9)),
  offset: v.optional(within(-1e9, 1e9)),
  duration: v.optional(within(1e-9, 1e9)),
  beyond: v.optional(v.picklist(['hold', 'loop', 'mirror'])),
});

/** The same without what is not there. @throws {UserError} for a rotation of length 0 */
export function placementOf(
  { translation, rotation, scale, offset, duration, beyond }: v.InferOutput<typeof PLACEMENT>,
  label: string,
): SplatPlacement {
  if (rotation !== undefined && !(Math.hypot(...rotation) > 1e-12))
    throw new UserError(
      `[io/splats] ${label} stands in a rotation that is none: rotation=[${rotation.join(', ')}]. Give (w, x, y, z), not all zero.`,
    );
  return {
    ...(translation && { translation }),
    ...(rotation && { rotation }),
    ...(scale !== undefined && { scale }),
    ...(offset !== undefined && { offset }),
    ...(duration !== undefined && { duration }),
    ...(beyond !== undefined && { beyond }),
  };
}

/** @throws {UserError} when it cannot be stored */
export function checkPlacement(placement: SplatPlacement, label: string): SplatPlacement {
  const parsed = v.safeParse(PLACEMENT, placement);
  if (parsed.success) return placementOf(parsed.output, label);
  const [issue] = parsed.issues;
  throw new UserError(
    `[io/splats] ${label} has a place that cannot be stored: ${v.getDotPath(issue) ?? 'placement'}: ${issue.message}. A placement `
      + 'has translation, rotation, scale, offset, duration, beyond.',
  );
}
