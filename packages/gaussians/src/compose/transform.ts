import { checkGaussians, PARAMETERS, rowLength, type FloatArray, type Gaussians, type ShDegree } from '../gaussians.ts';
import { rotateHarmonics } from './rotate-sh.ts';
import { checkSimilarity, matrixOf, multiplyQuaternions, type Similarity } from './similarity.ts';

/**
 * Gaussians where a similarity takes them: centres, rotations, scales, and the spherical harmonics turned with them. What does not change
 * is the same number, bit for bit.
 *
 * @example
 * const gaussians = gaussiansFromPoints({
 *   count: 2,
 *   positions: Float32Array.of(-1, 0, 0, 1, 0, 0),
 *   colors: Uint8Array.of(255, 80, 0, 0, 80, 255),
 * });
 * const beside = transformGaussians(gaussians, { translation: [2, 0, 0], rotation: [Math.SQRT1_2, 0, Math.SQRT1_2, 0], scale: 0.5 });
 * beside.means[0]; // => 2.0
 */
export function transformGaussians<A extends FloatArray>(gaussians: Gaussians<A>, similarity: Similarity): Gaussians<A> {
  return placer<A>(similarity)(gaussians);
}

/**
 * {@link transformGaussians} for one moment of an asset after another: harmonics that are the same array as the time before are turned
 * once.
 */
export function placer<A extends FloatArray>(similarity: Similarity): (gaussians: Gaussians<A>) => Gaussians<A> {
  const checked = checkSimilarity(similarity);
  let turned: { readonly from: A; readonly sh: A } | undefined;
  return (gaussians) => {
    checkGaussians('gaussians/compose', gaussians);
    return place(gaussians, checked, (r) => {
      if (turned?.from !== gaussians.sh) turned = { from: gaussians.sh, sh: rotateHarmonics(gaussians.sh, gaussians.degree, r) };
      return turned.sh;
    });
  };
}

function place<A extends FloatArray>(
  gaussians: Gaussians<A>,
  checked: Required<Similarity>,
  turn: (rotation: readonly number[]) => A,
): Gaussians<A> {
  const { scale, rotation, translation } = checked;
  const turns = rotation[0] ** 2 !== 1;
  const r = matrixOf(checked);
  const means = gaussians.means.slice() as A;
  for (let at = 0; at < means.length; at += 3) {
    const [x, y, z] = [gaussians.means[at]!, gaussians.means[at + 1]!, gaussians.means[at + 2]!];
    for (let axis = 0; axis < 3; axis++)
      means[at + axis] =
        scale * (turns ? r[3 * axis]! * x + r[3 * axis + 1]! * y + r[3 * axis + 2]! * z : gaussians.means[at + axis]!) + translation[axis]!;
  }
  const logScales = gaussians.logScales.map((value) => value + Math.log(scale)) as A;
  if (!turns) return { ...gaussians, means, logScales };
  const quaternions = gaussians.quaternions.slice() as A;
  for (let at = 0; at < quaternions.length; at += 4) {
    quaternions.set(
      multiplyQuaternions(rotation, [quaternions[at]!, quaternions[at + 1]!, quaternions[at + 2]!, quaternions[at + 3]!]),
      at,
    );
  }
  return { ...gaussians, means, logScales, quaternions, sh: turn(r) };
}

/** Several sets as one, in order; harmonics of lower degrees get zeros for the rest. @param sets one at least */
export function concatGaussians<A extends FloatArray>(sets: readonly [Gaussians<A>, ...Gaussians<A>[]]): Gaussians<A> {
  sets.forEach((set) => checkGaussians('gaussians/compose', set));
  const count = sets.reduce((sum, set) => sum + set.count, 0);
  const degree = Math.max(...sets.map((set) => set.degree)) as ShDegree;
  const joined = Object.fromEntries(
    PARAMETERS.map((name) => {
      const width = rowLength(name, degree);
      const all = new (sets[0][name].constructor as new (length: number) => A)(count * width);
      let row = 0;
      for (const set of sets) {
        const own = rowLength(name, set.degree);
        if (own === width) all.set(set[name], row * width);
        else for (let i = 0; i < set.count; i++) all.set(set[name].subarray(i * own, (i + 1) * own) as A, (row + i) * width);
        row += set.count;
      }
      return [name, all];
    }),
  ) as Pick<Gaussians<A>, (typeof PARAMETERS)[number]>;
  return { count, degree, ...joined };
}
