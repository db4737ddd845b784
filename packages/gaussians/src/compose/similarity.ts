import type { Camera } from '@langevin/core';
import { UserError } from '@langevin/tensor';
import { rotationMatrix } from '../shared-maths.ts';

/** x' = scale R x + translation: how an asset stands in a scene. */
export interface Similarity {
  /** > 0. @default 1 */
  readonly scale?: number;
  /** Quaternion (w, x, y, z), normalised when used. @default none, [1, 0, 0, 0] */
  readonly rotation?: readonly [number, number, number, number];
  /** In world units. @default [0, 0, 0] */
  readonly translation?: readonly [number, number, number];
}

type Quaternion = readonly [number, number, number, number];
type Vector = readonly [number, number, number];

const WHERE = 'gaussians/compose';

/**
 * A similarity with nothing left out and a rotation of length 1.
 * @throws UserError for numbers that are not finite, a scale <= 0 or a quaternion without a length
 */
export function checkSimilarity({ scale = 1, rotation = [1, 0, 0, 0], translation = [0, 0, 0] }: Similarity): Required<Similarity> {
  if (!(Number.isFinite(scale) && scale > 0))
    throw new UserError(`[${WHERE}] scale is out of range: scale=${scale}. Pass a number > 0; mirrors are no rotations.`);
  if (translation.length !== 3 || !translation.every(Number.isFinite))
    throw new UserError(`[${WHERE}] translation is no vector: translation=[${translation.join(', ')}]. Pass three finite numbers.`);
  const length = Math.hypot(...rotation);
  if (rotation.length !== 4 || !(length > 1e-12 && Number.isFinite(length)))
    throw new UserError(`[${WHERE}] rotation is no quaternion: rotation=[${rotation.join(', ')}]. Pass (w, x, y, z), not all zero.`);
  return { scale, rotation: rotation.map((v) => v / length) as unknown as Quaternion, translation };
}

/** Nine numbers by rows of the rotation. */
export function matrixOf({ rotation }: Required<Similarity>): readonly number[] {
  return rotationMatrix(Float64Array.from(rotation), 0);
}

/** a b, Hamilton's product: the rotation by b, then by a. */
export function multiplyQuaternions(a: Quaternion, b: Quaternion): Quaternion {
  const [aw, ax, ay, az] = a;
  const [bw, bx, by, bz] = b;
  return [
    aw * bw - ax * bx - ay * by - az * bz,
    aw * bx + ax * bw + ay * bz - az * by,
    aw * by - ax * bz + ay * bw + az * bx,
    aw * bz + ax * by - ay * bx + az * bw,
  ];
}

/** A point where the similarity takes it. */
export function transformPoint(similarity: Similarity, [x, y, z]: Vector): Vector {
  const checked = checkSimilarity(similarity);
  const r = matrixOf(checked);
  const at = (row: number): number =>
    checked.scale * (r[3 * row]! * x + r[3 * row + 1]! * y + r[3 * row + 2]! * z) + checked.translation[row]!;
  return [at(0), at(1), at(2)];
}

/** `inner`, then `outer`, as one. */
export function composeSimilarities(outer: Similarity, inner: Similarity): Required<Similarity> {
  const [a, b] = [checkSimilarity(outer), checkSimilarity(inner)];
  return checkSimilarity({
    scale: a.scale * b.scale,
    rotation: multiplyQuaternions(a.rotation, b.rotation),
    translation: transformPoint(a, b.translation),
  });
}

/** The way back. */
export function invertSimilarity(similarity: Similarity): Required<Similarity> {
  const {
    scale,
    rotation: [w, x, y, z],
    translation,
  } = checkSimilarity(similarity);
  const turned = { scale: 1 / scale, rotation: [w, -x, -y, -z] as const };
  const [a, b, c] = transformPoint(turned, translation);
  return { ...turned, translation: [0 - a, 0 - b, 0 - c] };
}

/**
 * The camera that moved with the scene: it sees of the moved scene what `camera` saw before. Depths and the near plane are `scale` times as
 * far; with parallel rays, pixels for a world unit become 1 / `scale` times as many.
 */
export function transformCamera(camera: Camera, similarity: Similarity): Camera {
  const checked = checkSimilarity(similarity);
  const r = matrixOf(checked);
  const { scale, translation: t } = checked;
  const w = camera.worldToCamera;
  const rows = [0, 4, 8].flatMap((at) => {
    // A row of (camera rotation) R^T.
    const [a, b, c] = [0, 3, 6].map((row) => w[at]! * r[row]! + w[at + 1]! * r[row + 1]! + w[at + 2]! * r[row + 2]!) as [
      number,
      number,
      number,
    ];
    return [a, b, c, scale * w[at + 3]! - (a * t[0] + b * t[1] + c * t[2])];
  });
  return { ...camera, worldToCamera: rows, ...(camera.kind === 'orthographic' && { fx: camera.fx / scale, fy: camera.fy / scale }) };
}
