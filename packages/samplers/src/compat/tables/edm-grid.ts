import { torchLinspace } from '../float32.ts';

const { fround } = Math;

export type EdmSchedule = 'karras' | 'exponential';

export interface EdmEnds {
  readonly sigma_min: number;
  readonly sigma_max: number;
  readonly rho: number;
}

/** torch.linspace in float64. */
function linspace64(start: number, end: number, count: number): Float64Array {
  const step = (end - start) / (count - 1);
  const half = Math.floor(count / 2);
  return Float64Array.from({ length: count }, (_, i) =>
    count === 1 || i < half ? start + (count === 1 ? 0 : step * i) : end - step * (count - 1 - i),
  );
}

/** Karras sigmas over a ramp, in float64 and rounded at the end (EDMEuler). */
export function karrasOverRamp(ramp: ArrayLike<number>, { sigma_min, sigma_max, rho }: EdmEnds): Float32Array {
  const [low, high] = [sigma_min ** (1 / rho), sigma_max ** (1 / rho)];
  return Float32Array.from(ramp, (r) => (high + r * (low - high)) ** rho);
}

/** The ramp 0..1 in float64. */
export const unitRamp = (steps: number): Float64Array => linspace64(0, 1, steps);

/** The same with each operation in float32 (EDMDPMSolverMultistep and Cosine). */
export function karrasInFloat32(steps: number, { sigma_min, sigma_max, rho }: EdmEnds): Float32Array {
  const [low, high] = [sigma_min ** (1 / rho), sigma_max ** (1 / rho)];
  return torchLinspace(0, 1, steps).map((r) => fround(fround(high) + fround(r * fround(low - high))) ** rho);
}

/** Even in log sigma, from a float32 table of logarithms. */
export function exponentialInFloat32(steps: number, { sigma_min, sigma_max }: EdmEnds): Float32Array {
  return torchLinspace(Math.log(sigma_min), Math.log(sigma_max), steps).map(Math.exp).reverse();
}

/** EDM's conditioning of a network on noise: ln(sigma) / 4 (Karras et al. 2022, table 1). */
export const logConditioning = (sigmas: Float32Array): number[] => [...sigmas.map((sigma) => 0.25 * fround(Math.log(sigma)))];

/** The cosine schedule's time of a sigma: atan(sigma) 2 / pi. */
export const atanConditioning = (sigmas: Float32Array): number[] => [
  ...sigmas.map((sigma) => fround(fround(Math.atan(sigma)) / Math.PI) * 2),
];
