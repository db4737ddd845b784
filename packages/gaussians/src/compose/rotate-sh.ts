import { inverse } from '@langevin/tensor';
import { shCoefficients, type FloatArray, type ShDegree } from '../gaussians.ts';
import { harmonics } from '../reference/harmonics.ts';

type Vector = readonly [number, number, number];

/** Directions all around, evenly: a spiral of golden angles. */
const DIRECTIONS: readonly Vector[] = Array.from({ length: 64 }, (_, i): Vector => {
  const z = 1 - (2 * i + 1) / 64;
  const angle = i * Math.PI * (3 - Math.sqrt(5));
  const radius = Math.sqrt(1 - z * z);
  return [radius * Math.cos(angle), radius * Math.sin(angle), z];
});

/** Values of the functions of one degree, in the order m = -l..l. */
function valuesOf(direction: Vector, degree: number): number[] {
  return harmonics(direction, degree)
    .slice(degree ** 2)
    .map(({ value }) => value);
}

/**
 * For each degree l from 1, the matrix [2l + 1, 2l + 1] by rows that takes coefficients of a function f to those of x -> f(R^T x).
 *
 * Functions of a degree stay among themselves under rotations, so values in more directions than there are functions give the matrix as a
 * least-squares solution without remainder; the directions are spread so evenly that its normal matrix is almost a multiple of the
 * identity.
 *
 * @param rotation nine numbers by rows of R
 */
export function harmonicRotations(rotation: readonly number[], degree: ShDegree): readonly (readonly (readonly number[])[])[] {
  const [a, b, c, d, e, f, g, h, i] = rotation as [number, number, number, number, number, number, number, number, number];
  const back = ([x, y, z]: Vector): Vector => [a * x + d * y + g * z, b * x + e * y + h * z, c * x + f * y + i * z];
  return Array.from({ length: degree }, (_, k) => {
    const before = DIRECTIONS.map((direction) => valuesOf(direction, k + 1));
    const after = DIRECTIONS.map((direction) => valuesOf(back(direction), k + 1));
    const product = (p: readonly number[][], q: readonly number[][]): number[][] =>
      p[0]!.map((_row, row) => q[0]!.map((_column, column) => p.reduce((sum, line, n) => sum + line[row]! * q[n]![column]!, 0)));
    const right = product(before, after);
    const normal = inverse(product(before, before).flat());
    const size = right.length;
    return right.map((_row, row) =>
      right.map((_column, column) => right.reduce((sum, line, n) => sum + normal[row * size + n]! * line[column]!, 0)),
    );
  });
}

/** Coefficients [N, K, 3] of what is seen when everything is turned by R. */
export function rotateHarmonics<A extends FloatArray>(sh: A, degree: ShDegree, rotation: readonly number[]): A {
  const rotated = sh.slice() as A;
  const coefficients = shCoefficients(degree);
  for (const [k, matrix] of harmonicRotations(rotation, degree).entries()) {
    const first = (k + 1) ** 2;
    for (let base = 0; base < sh.length; base += 3 * coefficients) {
      for (const [row, factors] of matrix.entries()) {
        for (let channel = 0; channel < 3; channel++) {
          let sum = 0;
          for (let column = 0; column < factors.length; column++) sum += factors[column]! * sh[base + 3 * (first + column) + channel]!;
          rotated[base + 3 * (first + row) + channel] = sum;
        }
      }
    }
  }
  return rotated;
}
