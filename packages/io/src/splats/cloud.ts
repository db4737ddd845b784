import { UserError } from '@langevin/tensor';
import { checkObject } from '../given.ts';
import { checkPlacement, type UpAndOrigin } from './up-and-origin.ts';

/** Degree of the spherical harmonics: 0 is one colour from all sides, 3 has 16 coefficients a channel. */
export type ShDegree = 0 | 1 | 2 | 3;

/** What a file says beside its Gaussians. */
export interface SplatMetadata extends UpAndOrigin {
  /** Name of the format that the cloud was read from. */
  readonly format?: string;
  /** Trained with the compensation of Mip-Splatting, and to be drawn with it. */
  readonly antialiased?: boolean;
  /** Lines of text, without line breaks; kept by PLY and the 4D container. */
  readonly comments?: readonly string[];
  /** Gaussians left out by `invalid: 'drop'`. */
  readonly dropped?: number;
}

/**
 * N Gaussians as arrays: the shape of `Gaussians` in @langevin/gaussians, so that one goes where the other is asked for. Axes are those of
 * PLY files and OpenCV: x right, y down, z forward.
 */
export interface SplatCloud {
  /** N >= 0. */
  readonly count: number;
  /** Centres, [N, 3]. */
  readonly means: Float32Array;
  /** Rotations (w, x, y, z), [N, 4]; any length above 0. */
  readonly quaternions: Float32Array;
  /** Natural logarithms of the standard deviations, [N, 3]. */
  readonly logScales: Float32Array;
  /** opacity = sigmoid(logit), [N]. */
  readonly opacityLogits: Float32Array;
  /** Spherical harmonics, [N, (degree + 1)^2, 3]: coefficient-major, RGB inner. */
  readonly sh: Float32Array;
  readonly degree: ShDegree;
  readonly metadata?: SplatMetadata;
}

/** Value of the constant spherical harmonic: colour = 1/2 + SH_C0 * sh[0]. */
export const SH_C0 = 0.28209479177387814;

export const ARRAYS = ['means', 'quaternions', 'logScales', 'opacityLogits', 'sh'] as const;

/** Coefficients of a colour channel at a degree. */
export function shCoefficients(degree: ShDegree): number {
  return (degree + 1) ** 2;
}

/** Numbers in a row of an array. */
export function rowLength(name: (typeof ARRAYS)[number], degree: ShDegree): number {
  return { means: 3, quaternions: 4, logScales: 3, opacityLogits: 1, sh: 3 * shCoefficients(degree) }[name];
}

/** Bytes that the arrays take in memory, for one Gaussian. */
export function bytesInMemory(degree: ShDegree): number {
  return 4 * ARRAYS.reduce((sum, name) => sum + rowLength(name, degree), 0);
}

/** A cloud of zeros. The count must have been checked against the size of the file before. */
export function allocateCloud(label: string, count: number, degree: ShDegree): SplatCloud {
  try {
    const array = (name: (typeof ARRAYS)[number]): Float32Array => new Float32Array(count * rowLength(name, degree));
    return {
      count,
      means: array('means'),
      quaternions: array('quaternions'),
      logScales: array('logScales'),
      opacityLogits: array('opacityLogits'),
      sh: array('sh'),
      degree,
    };
  } catch (cause) {
    const bytes = count * bytesInMemory(degree);
    throw new UserError(
      `[io/splats] ${label}: no memory for count=${count} Gaussians of degree=${degree}, ${bytes} bytes. Use a smaller file or `
        + 'more memory.',
      { cause },
    );
  }
}

/**
 * Check that the arrays fit each other and hold numbers that every format can take: finite, with quaternions that have a direction.
 *
 * @throws {UserError} naming the array, and the first row that is wrong
 */
export function checkCloud(cloud: SplatCloud): void {
  checkObject(cloud, 'cloud', '[io/splats]');
  const { count, degree } = cloud;
  if (!Number.isSafeInteger(count) || count < 0)
    throw new UserError(`[io/splats] count of Gaussians must be an integer >= 0: count=${String(count)}. Pass the number of rows.`);
  if (![0, 1, 2, 3].includes(degree))
    throw new UserError(
      `[io/splats] degree of the spherical harmonics must be 0 to 3: degree=${String(degree)}. Drop the coefficients above 3.`,
    );
  for (const name of ARRAYS) {
    const expected = count * rowLength(name, degree);
    const array: unknown = cloud[name];
    if (!(array instanceof Float32Array)) throw new UserError(`[io/splats] ${name} must be a Float32Array. Convert it.`);
    if (array.length !== expected)
      throw new UserError(
        `[io/splats] array does not have a row for each Gaussian: ${name}.length=${array.length}, expected ${expected} for `
          + `count=${count}, degree=${degree}. Make them equal.`,
      );
  }
  if (cloud.metadata !== undefined) checkPlacement(cloud.metadata);
  if (isSound(cloud)) return;
  const row = firstInvalidRow(cloud, 0);
  throw new UserError(`[io/splats] Gaussian row=${row} cannot be stored: ${describeInvalidRow(cloud, row)}. Remove it.`);
}

// Squared lengths outside are no direction that float32 arithmetic could normalise.
const MIN_SQUARED_NORM = 1e-30;
const MAX_SQUARED_NORM = 1e30;

/**
 * Whether every number is finite and every quaternion has a direction; in runs over whole arrays, which take a third of the time of rows.
 */
export function isSound(cloud: SplatCloud): boolean {
  for (const name of ARRAYS) {
    // x * 0 is 0 for every finite x and NaN for the others.
    let zero = 0;
    const values = cloud[name];
    for (let i = 0; i < values.length; i++) zero += values[i]! * 0;
    if (zero !== 0) return false;
  }
  const q = cloud.quaternions;
  for (let i = 0; i < q.length; i += 4)
    if (!hasDirection(q[i]! * q[i]! + q[i + 1]! * q[i + 1]! + q[i + 2]! * q[i + 2]! + q[i + 3]! * q[i + 3]!)) return false;
  return true;
}

function hasDirection(squaredNorm: number): boolean {
  return squaredNorm >= MIN_SQUARED_NORM && squaredNorm <= MAX_SQUARED_NORM;
}

/** The first row from `from` on with a number that is not finite or a quaternion without direction; -1 when all are sound. */
export function firstInvalidRow(cloud: SplatCloud, from: number): number {
  const { count, means, quaternions, logScales, opacityLogits, sh } = cloud;
  const width = rowLength('sh', cloud.degree);
  for (let n = from; n < count; n++) {
    let zero = opacityLogits[n]! * 0;
    for (let i = 3 * n; i < 3 * n + 3; i++) zero += means[i]! * 0 + logScales[i]! * 0;
    for (let i = width * n; i < width * (n + 1); i++) zero += sh[i]! * 0;
    let square = 0;
    for (let i = 4 * n; i < 4 * n + 4; i++) square += quaternions[i]! * quaternions[i]!;
    if (zero !== 0 || !hasDirection(square)) return n;
  }
  return -1;
}

/** The values of a row that make it invalid, for a message. */
export function describeInvalidRow(cloud: SplatCloud, row: number): string {
  for (const name of ARRAYS) {
    const length = rowLength(name, cloud.degree);
    const values = cloud[name].subarray(row * length, (row + 1) * length);
    const bad = values.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) return `${name}[${row}][${bad}]=${values[bad]!} is not finite`;
  }
  const q = cloud.quaternions.subarray(4 * row, 4 * row + 4);
  return `quaternions[${row}]=(${q.join(', ')}) is not a rotation`;
}
