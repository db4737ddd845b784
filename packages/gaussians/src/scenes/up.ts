import type { Camera } from '@langevin/core';
import type { Vector } from './scene.ts';

/** An axis of the world as near as this to what the cameras say is what is meant, in degrees. */
const SNAP = 5;

/** The mean of the cameras' own ups must be as long as this to say anything, and sideways spread across two directions. */
const LEAST = 0.3;

/**
 * Which way is up in the world, of length 1, judged by how cameras are held: level, so that what points right in their pictures is at right
 * angles to it, wherever they look (nerfstudio's `vertical`); where all look the same way, the mean of their ups.
 *
 * @returns undefined where cameras do not tell: held in all ways, or none
 */
export function upOf(cameras: readonly Pick<Camera, 'worldToCamera'>[]): Vector | undefined {
  const count = cameras.length;
  if (count === 0) return undefined;
  // Rows of the rotation are the axes of the camera in the world: right, then down.
  const mean = [4, 5, 6].map((at) => -cameras.reduce((sum, { worldToCamera: w }) => sum + w[at]!, 0) / count) as unknown as Vector;
  if (!(Math.hypot(...mean) > LEAST)) return undefined;
  const spread = [0, 1, 2].map((i) => [0, 1, 2].map((j) => cameras.reduce((sum, { worldToCamera: w }) => sum + w[i]! * w[j]!, 0) / count));
  const level = leastDirection(spread);
  const along = level === undefined ? 0 : level[0] * mean[0] + level[1] * mean[1] + level[2] * mean[2];
  const judged =
    level === undefined || Math.abs(along) < LEAST ? mean : (level.map((value) => value * Math.sign(along)) as unknown as Vector);
  return snapped(judged);
}

/**
 * The direction across which a symmetric matrix is least, by inverse iteration; undefined where a second one is about as small, as it is
 * when all cameras look the same way.
 */
function leastDirection(matrix: readonly (readonly number[])[]): Vector | undefined {
  const [a, b, c] = matrix as readonly [Vector, Vector, Vector];
  // Columns of the adjugate of a matrix of rank 2 lie along its null direction; a touch more on the diagonal keeps it regular.
  const lift = (row: Vector, at: number): Vector => row.map((value, i) => value + (i === at ? 1e-9 : 0)) as unknown as Vector;
  const columns = [cross(lift(b, 1), lift(c, 2)), cross(lift(c, 2), lift(a, 0)), cross(lift(a, 0), lift(b, 1))];
  let direction = columns.reduce((best, column) => (Math.hypot(...column) > Math.hypot(...best) ? column : best));
  for (let round = 0; round < 50; round++) {
    const next = [0, 1, 2].map((i) => columns.reduce((sum, column, j) => sum + column[i]! * direction[j]!, 0)) as unknown as Vector;
    const length = Math.hypot(...next);
    if (!(length > 0)) return undefined;
    direction = next.map((value) => value / length) as unknown as Vector;
  }
  const least = quadratic(matrix, direction);
  const trace = a[0] + b[1] + c[2];
  // Of the other two eigenvalues, the sum and the product are known.
  const sum = trace - least;
  const product = minors(matrix) - least * sum;
  const second = sum / 2 - Math.sqrt(Math.max(0, (sum * sum) / 4 - product));
  return second > 0.05 && second > 4 * least ? direction : undefined;
}

function snapped(vector: Vector): Vector {
  const length = Math.hypot(...vector);
  const unit = vector.map((value) => value / length) as unknown as Vector;
  const axis = unit.findIndex((value) => Math.abs(value) > Math.cos((SNAP * Math.PI) / 180));
  if (axis < 0) return unit;
  return [0, 1, 2].map((i) => (i === axis ? Math.sign(unit[axis]!) : 0)) as unknown as Vector;
}

function cross(a: Vector, b: Vector): Vector {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

function quadratic(matrix: readonly (readonly number[])[], v: Vector): number {
  return v.reduce((sum, value, i) => sum + value * v.reduce((inner, other, j) => inner + matrix[i]![j]! * other, 0), 0);
}

/** Sum of the principal minors of order 2. */
function minors(m: readonly (readonly number[])[]): number {
  const pair = (i: number, j: number): number => m[i]![i]! * m[j]![j]! - m[i]![j]! * m[j]![i]!;
  return pair(0, 1) + pair(0, 2) + pair(1, 2);
}
