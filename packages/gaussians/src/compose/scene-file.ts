import { UserError } from '@langevin/tensor';
import * as v from 'valibot';
import type { Asset } from './scene.ts';
import type { Similarity } from './similarity.ts';

/** An asset of a scene file: which file, where it stands, and when its own time runs. */
export interface PlacedFile extends Pick<Asset, 'offset' | 'duration' | 'beyond'> {
  /** As the scene file names it, relative to it. */
  readonly file: string;
  readonly transform: Similarity;
}

const number = (least: number, most: number) => v.pipe(v.number(), v.minValue(least), v.maxValue(most));
const coordinate = number(-1e9, 1e9);
const Placement = v.strictObject({
  file: v.pipe(v.string(), v.minLength(1), v.maxLength(4096)),
  translation: v.optional(v.tuple([coordinate, coordinate, coordinate])),
  rotation: v.optional(v.tuple([coordinate, coordinate, coordinate, coordinate])),
  axis: v.optional(v.tuple([coordinate, coordinate, coordinate])),
  degrees: v.optional(number(-36_000, 36_000)),
  scale: v.optional(number(1e-9, 1e9)),
  offset: v.optional(number(-1e9, 1e9)),
  duration: v.optional(number(1e-9, 1e9)),
  beyond: v.optional(v.picklist(['hold', 'loop', 'mirror'])),
});
const Scene = v.strictObject({ assets: v.pipe(v.array(Placement), v.minLength(1), v.maxLength(1000)) });

/**
 * Read a scene of several assets: `{ "assets": [{ "file": "cat.ply", "translation": [1, 0, 0], "axis": [0, 1, 0], "degrees": 90, "scale":
 * 0.5 }] }`. A rotation is a quaternion (w, x, y, z), or an axis with degrees; `offset`, `duration` and `beyond` are those of {@link
 * Asset}.
 *
 * @param value what the JSON says
 * @param label names it in messages
 * @throws UserError when it does not have the form, or a number is out of range
 */
export function parseSceneFile(value: unknown, label: string): readonly PlacedFile[] {
  const parsed = v.safeParse(Scene, value);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    throw new UserError(
      `[gaussians/compose] ${label} has the wrong form: ${v.getDotPath(issue) ?? 'top'}: ${issue.message}. An asset has file, `
        + 'translation, rotation or axis and degrees, scale, offset, duration, beyond.',
    );
  }
  return parsed.output.assets.map(({ file, translation, rotation, axis, degrees, scale, offset, duration, beyond }, i) => {
    const where = `${label} assets[${i}]`;
    const turned = rotation ?? (axis === undefined && degrees === undefined ? undefined : fromAxis(axis, degrees, where));
    if (rotation !== undefined && (axis !== undefined || degrees !== undefined))
      throw new UserError(`[gaussians/compose] ${where} has two rotations: rotation, and axis with degrees. Leave one out.`);
    return {
      file,
      transform: { ...(translation && { translation }), ...(turned && { rotation: turned }), ...(scale !== undefined && { scale }) },
      ...(offset !== undefined && { offset }),
      ...(duration !== undefined && { duration }),
      ...(beyond !== undefined && { beyond }),
    };
  });
}

/** The right-handed rotation about an axis. */
function fromAxis(
  axis: readonly [number, number, number] | undefined,
  degrees: number | undefined,
  where: string,
): readonly [number, number, number, number] {
  const length = Math.hypot(...(axis ?? [0]));
  if (axis === undefined || degrees === undefined || !(length > 1e-9))
    throw new UserError(
      `[gaussians/compose] ${where} has no rotation: axis=${JSON.stringify(axis)}, degrees=${degrees}. Give both, with an axis of `
        + 'some length.',
    );
  const half = (degrees * Math.PI) / 360;
  const along = Math.sin(half) / length;
  return [Math.cos(half), axis[0] * along, axis[1] * along, axis[2] * along];
}
