import { type Camera, cameraPosition } from '@langevin/core';
import type { Vector } from './scene.ts';

type Posed = Pick<Camera, 'worldToCamera'>;

/** Farther from the origin than this many sizes of the scene, float32 would round places to more than a hundred thousandth of its size. */
const MOST_SIZES = 100;
/** Cameras nearer to each other than this, relative to where they are, stand in one place: a pose in text has about so many digits. */
const ONE_PLACE = 1e-9;

/**
 * Where to move the origin of a scene so that its places have the digits that float32 offers: near the middle of its cameras. Undefined
 * where they stand near enough to it, which is almost always.
 */
export function originOf(cameras: readonly Posed[]): Vector | undefined {
  const places = cameras.map(cameraPosition);
  const middle = [0, 1, 2].map((axis) => places.reduce((sum, place) => sum + place[axis]!, 0) / Math.max(1, places.length));
  const spread = places.reduce((most, place) => Math.max(most, Math.hypot(...place.map((value, axis) => value - middle[axis]!))), 0);
  const away = Math.hypot(...middle);
  // One place, as of a panorama, says nothing of the size of what is around it: one unit is taken for it.
  const size = spread > ONE_PLACE * away ? Math.max(spread, 1e-3) : 1;
  if (!(away > MOST_SIZES * size) || places.length < 2) return undefined;
  // A round number, so that nothing is lost when it is added again.
  const unit = 10 ** Math.floor(Math.log10(size));
  const [x, y, z] = middle.map((value) => Math.round(value / unit) * unit) as [number, number, number];
  return [x, y, z];
}

/** The same camera in a world whose origin lies elsewhere. @param origin of the new world, in the old one */
export function movedCamera<C extends Posed>(camera: C, origin: Vector): C {
  const w = camera.worldToCamera;
  const translation = (row: 0 | 4 | 8): number => w[row]! * origin[0] + w[row + 1]! * origin[1] + w[row + 2]! * origin[2] + w[row + 3]!;
  const row = (at: 0 | 4 | 8): readonly number[] => [w[at]!, w[at + 1]!, w[at + 2]!, translation(at)];
  return { ...camera, worldToCamera: [...row(0), ...row(4), ...row(8)] };
}

/** Places of the old world in that of the new origin, rounded to float32 only then. */
export function movedPositions(positions: Float64Array, origin: Vector): Float32Array {
  return Float32Array.from(positions, (value, i) => value - origin[i % 3]!);
}
