import { shownValue, UserError } from '@langevin/tensor';

/** Arrays that hold parameters: float32 to train and draw with, float64 for the reference. */
export type FloatArray = Float32Array | Float64Array;

/** Degree of the spherical harmonics: 0 is one colour from all sides, 3 has 16 coefficients. */
export type ShDegree = 0 | 1 | 2 | 3;

/**
 * N Gaussians as arrays, a row for each: what training changes and files hold. Quantities are stored before their activation, so that any
 * number is valid.
 */
export interface Gaussians<A extends FloatArray = Float32Array> {
  /** N >= 0. */
  readonly count: number;
  /** Centres in world units, [N, 3]. */
  readonly means: A;
  /** Rotations (w, x, y, z), [N, 4]; normalised when used. */
  readonly quaternions: A;
  /** Logarithms of the standard deviations along the rotated axes, [N, 3]. */
  readonly logScales: A;
  /** opacity = sigmoid(logit), [N]. */
  readonly opacityLogits: A;
  /** Spherical harmonics, [N, (degree + 1)^2, 3]: coefficient-major, RGB inner; colour = max(0, sum + 1/2). */
  readonly sh: A;
  readonly degree: ShDegree;
}

/** The arrays of {@link Gaussians} by name, with the numbers of a row. */
export const PARAMETERS = ['means', 'quaternions', 'logScales', 'opacityLogits', 'sh'] as const;

/** Name of an array that training changes. */
export type ParameterName = (typeof PARAMETERS)[number];

/** Coefficients of a colour channel at a degree. */
export function shCoefficients(degree: ShDegree): number {
  return (degree + 1) ** 2;
}

/** Numbers in a row of an array. */
export function rowLength(name: ParameterName, degree: ShDegree): number {
  if (name === 'sh') return 3 * shCoefficients(degree);
  return { means: 3, quaternions: 4, logScales: 3, opacityLogits: 1 }[name];
}

/** Something for each of {@link PARAMETERS}. */
export function byName<T>(make: (name: ParameterName, index: number) => T): Record<ParameterName, T> {
  return Object.fromEntries(PARAMETERS.map((name, i) => [name, make(name, i)])) as Record<ParameterName, T>;
}

/** Throws a UserError unless the arrays fit each other. `where` is "package/part". */
export function checkGaussians(where: string, gaussians: Gaussians<FloatArray>): void {
  if (typeof gaussians !== 'object' || gaussians === null)
    throw new UserError(`[${where}] there are no Gaussians: gaussians=${shownValue(gaussians)}. Pass { count, degree, means, ... }.`);
  const { count, degree } = gaussians;
  if (!Number.isSafeInteger(count) || count < 0)
    throw new UserError(`[${where}] count of Gaussians must be an integer >= 0: count=${String(count)}. Pass the number of rows.`);
  if (![0, 1, 2, 3].includes(degree))
    throw new UserError(
      `[${where}] degree of the spherical harmonics must be 0 to 3: degree=${String(degree)}. Drop the coefficients above 3.`,
    );
  for (const name of PARAMETERS) {
    const expected = count * rowLength(name, degree);
    if (gaussians[name]?.length !== expected)
      throw new UserError(
        `[${where}] array does not have a row for each Gaussian: ${name}.length=${gaussians[name]?.length}, expected ${expected} `
          + `for count=${count}, degree=${degree}. Make them equal.`,
      );
  }
}
