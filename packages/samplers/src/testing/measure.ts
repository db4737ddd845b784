import { type Denoiser, type NoiseLevel, type NoiseSource, relativeSigma, type Sampler } from '@langevin/core';
import { arrayAlgebra, uniformLambda, vpLinear } from '@langevin/core-schedules';
import { gaussian, threeModes } from '@langevin/core-schedules/testing';
import { sample } from '../trajectory.ts';
import { withParts } from './with-parts.ts';

/** Errors at several numbers of steps, and the order they show. */
export interface OrderMeasurement {
  readonly steps: readonly number[];
  readonly errors: readonly number[];
  /** -d log(error) / d log(steps) from the first entry to the last. */
  readonly slope: number;
}

/**
 * The grid on which orders show: on grids even in time the steps of lambda near t = 0 are so large that high orders need
 * thousands of steps.
 *
 * @example
 * orderGrid(4).length; // => 5
 */
export function orderGrid(steps: number): readonly NoiseLevel[] {
  return uniformLambda().levels(vpLinear(), { steps, end: 'floor' });
}

const STEPS = [80, 160, 320, 640];
/** The cost grows with the square here; and with churn, 80 steps still add all they may at once. */
const WEAK_STEPS = [160, 320];
/** New each time, as a sampler that writes to what it is given must not change what the next one sees. */
export const starts = (): Float64Array => Float64Array.from({ length: 41 }, (_, i) => -2.3 + (4.6 * i) / 40);

/**
 * Error of a deterministic sampler on the ODE of a distribution, at its worst over 41 starts in -2.3..2.3.
 *
 * @example
 * const { slope } = await measureOrder(ddim(), 'gaussian');
 * Math.round(slope); // => 1
 */
export async function measureOrder(
  sampler: Sampler,
  data: 'gaussian' | 'mixture',
  steps: readonly number[] = STEPS,
): Promise<OrderMeasurement> {
  const { denoise, target } = await bed(data);
  const errors: number[] = [];
  for (const count of steps) {
    const end = await sample({ sampler, denoise, x: starts(), levels: orderGrid(count) });
    errors.push(end.reduce((worst, value, i) => Math.max(worst, Math.abs(value - target[i]!)), 0));
  }
  return { steps, errors, slope: slopeOf(steps, errors) };
}

export interface Bed {
  readonly denoise: Denoiser<Float64Array>;
  readonly target: Float64Array;
}

let modesReference: Promise<Float64Array> | undefined;

/** Data with a known end of the ODE over the order grid, from {@link starts}. */
export async function bed(data: 'gaussian' | 'mixture'): Promise<Bed> {
  const grid = orderGrid(1);
  const [from, to] = [grid[0]!, grid[1]!];
  if (data === 'gaussian') {
    const normal = gaussian({ mean: [0.7], std: 0.3 });
    return { denoise: withParts(normal.denoiser()), target: normal.flow(starts(), { from, to }) };
  }
  const denoise = withParts(threeModes().denoiser<Float64Array>());
  modesReference ??= reference(denoise, { from, to });
  return { denoise, target: await modesReference };
}

/**
 * Where the mixture's ODE leads, to about 1e-11: the classical fourth-order method in u = log(sigma / alpha), where dx/du = x - D in
 * units of alpha = 1, at two step sizes whose leading errors cancel. It shares no code with the samplers.
 */
async function reference(
  denoise: Denoiser<Float64Array>,
  { from, to }: { readonly from: NoiseLevel; readonly to: NoiseLevel },
): Promise<Float64Array> {
  const first = Math.log(relativeSigma(from));
  const last = Math.log(relativeSigma(to));
  const start = starts().map((value) => value / from.alpha);
  const coarse = await rungeKutta(denoise, start, { first, last, steps: REFERENCE_STEPS });
  const fine = await rungeKutta(denoise, start, { first, last, steps: 2 * REFERENCE_STEPS });
  return fine.map((value, i) => to.alpha * (value + (value - coarse[i]!) / 15));
}

const REFERENCE_STEPS = 500;

async function rungeKutta(
  denoise: Denoiser<Float64Array>,
  start: Float64Array,
  { first, last, steps }: { readonly first: number; readonly last: number; readonly steps: number },
): Promise<Float64Array> {
  const h = (last - first) / steps;
  const slope = async (x: Float64Array, u: number): Promise<Float64Array> => {
    const denoised = await denoise(x, { alpha: 1, sigma: Math.exp(u) });
    return x.map((value, i) => value - denoised[i]!);
  };
  const moved = (x: Float64Array, by: number, k: Float64Array): Float64Array => x.map((value, i) => value + by * k[i]!);
  let x = start;
  for (let i = 0; i < steps; i++) {
    const u = first + i * h;
    const a = await slope(x, u);
    const b = await slope(moved(x, h / 2, a), u + h / 2);
    const c = await slope(moved(x, h / 2, b), u + h / 2);
    const d = await slope(moved(x, h, c), u + h);
    x = x.map((value, k) => value + (h / 6) * (a[k]! + 2 * b[k]! + 2 * c[k]! + d[k]!));
  }
  return x;
}

export interface MomentsOptions {
  readonly mean: number;
  readonly std: number;
  readonly levels: readonly NoiseLevel[];
  /** Affine in x. @default E[x0 | x] of the data */
  readonly denoise?: Denoiser<Float64Array>;
}

/** Mean and variance of what a sampler makes of one number. */
export interface Moments {
  readonly mean: number;
  readonly variance: number;
}

/**
 * The exact mean and variance that a sampler gives on 1-D Gaussian data, when it starts from the exact marginal of levels[0].
 * On such data a sampler is affine in its start and its draws, so one run over a basis of them (each in a place of its own of the
 * state) tells all, with no Monte Carlo noise, whatever the sampler remembers.
 *
 * @example
 * // Steps that are exact leave the data's mean, and its variance with the noise of the last level.
 * const { mean } = await gaussianMoments(ddim(), { mean: 0.7, std: 0.3, levels: orderGrid(640) });
 * Math.abs(mean - 0.7) < 0.01; // => true
 */
export async function gaussianMoments(
  sampler: Sampler,
  { mean, std, levels, denoise = withParts(gaussian({ mean: [mean], std }).denoiser<Float64Array>()) }: MomentsOptions,
): Promise<Moments> {
  const drawn = await countDraws(sampler, denoise, levels);
  const x = new Float64Array(2 + drawn);
  x[1] = 1;
  let lane = 2;
  const basis: NoiseSource = {
    name: 'basis',
    draw: ({ algebra, like }) =>
      Promise.resolve(
        algebra.fromHost(
          Float64Array.from({ length: x.length }, (_, i) => (i === lane ? 1 : 0)),
          like,
        ),
      ).finally(() => lane++),
  };
  const end = await sample({ sampler, denoise, x, levels, noise: basis, algebra: arrayAlgebra() });
  const [base, ...rest] = end;
  const [gain, ...noises] = rest.map((value) => value - base!);
  const { alpha, sigma } = levels[0]!;
  const start = { mean: alpha * mean, variance: (alpha * std) ** 2 + sigma ** 2 };
  return { mean: base! + gain! * start.mean, variance: gain! ** 2 * start.variance + noises.reduce((sum, value) => sum + value ** 2, 0) };
}

async function countDraws(sampler: Sampler, denoise: Denoiser<Float64Array>, levels: readonly NoiseLevel[]): Promise<number> {
  let count = 0;
  const zeros: NoiseSource = {
    name: 'zeros',
    draw: ({ algebra, like }) => {
      count++;
      return Promise.resolve(algebra.linear([0, like]));
    },
  };
  await sample({ sampler, denoise, x: new Float64Array(1), levels, noise: zeros });
  return count;
}

/**
 * Error of a stochastic sampler's standard deviation on Gaussian data, exactly: the weak order.
 *
 * @example
 * const { slope } = await measureWeakOrder(eulerAncestral());
 * Math.round(slope); // => 1
 */
export async function measureWeakOrder(sampler: Sampler, steps: readonly number[] = WEAK_STEPS): Promise<OrderMeasurement> {
  const errors: number[] = [];
  for (const count of steps) {
    const levels = orderGrid(count);
    const { alpha, sigma } = levels.at(-1)!;
    const { variance } = await gaussianMoments(sampler, { mean: 0.7, std: 0.3, levels });
    errors.push(Math.abs(Math.sqrt(variance) - Math.hypot(alpha * 0.3, sigma)));
  }
  return { steps, errors, slope: slopeOf(steps, errors) };
}

export function slopeOf(steps: readonly number[], errors: readonly number[]): number {
  return Math.log(errors[0]! / errors.at(-1)!) / Math.log(steps.at(-1)! / steps[0]!);
}
