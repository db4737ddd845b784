import { type Denoiser, isLevelList, type NoiseLevel } from '@langevin/core';
import { checkNumber, type Generator, UserError } from '@langevin/tensor';
import type { FloatArray } from '../array-algebra.ts';
import type { AnalyticDistribution } from './distribution.ts';

const WHERE = 'core-schedules/testing';

export interface MixtureComponent {
  /** Share, > 0; shares are scaled to add up to 1. @default 1 */
  readonly weight?: number;
  readonly mean: readonly number[];
  /** Deviation along each axis, >= 0; one number serves all. */
  readonly std: number | readonly number[];
}

interface Component {
  readonly logWeight: number;
  readonly mean: readonly number[];
  readonly variance: readonly number[];
}

/**
 * A mixture of Gaussians with diagonal covariances.
 *
 * @throws UserError when there is no component or dimensions differ
 * @example
 * const data = mixture([{ mean: [-1], std: 0.1 }, { mean: [1], std: 0.1 }]);
 * await data.denoiser<Float64Array>()(Float64Array.of(0), { alpha: 1, sigma: 2 }); // => [0]
 */
export function mixture(components: readonly MixtureComponent[], name = 'mixture'): AnalyticDistribution {
  const dimension = components[0]?.mean.length ?? 0;
  const prepared = prepare(components, dimension);
  const denoiser = <T extends FloatArray>(): Denoiser<T> => {
    return (x, at) => {
      const out = x.slice() as T;
      const parts: readonly NoiseLevel[] = isLevelList(at) ? at : [at];
      const points = x.length / dimension / parts.length;
      if (!Number.isInteger(points)) {
        return Promise.reject(
          new UserError(
            `[${WHERE}] the state does not divide into points: length=${x.length}, dimension=${dimension}, levels=${parts.length}. `
              + 'Pass whole points, as many for each level.',
          ),
        );
      }
      parts.forEach((level, part) => {
        denoisePoints(prepared, level, out.subarray(part * points * dimension, (part + 1) * points * dimension));
      });
      return Promise.resolve(out);
    };
  };
  return Object.freeze({
    name,
    dimension,
    denoiser,
    logDensity: (x: ArrayLike<number>, at: NoiseLevel) => logSumExp(prepared.map((component) => logJoint(component, x, at))),
    sample: (generator: Generator, count: number) => draw(prepared, { dimension, generator, count }),
  });
}

/**
 * Finitely many points, each as likely; data that a network could learn by heart.
 *
 * @example
 * // Near one of the points, the other hardly counts.
 * await finiteSet([[0], [10]]).denoiser<Float64Array>()(Float64Array.of(9), sigmaLevel(1)); // => [10]
 */
export function finiteSet(points: readonly (readonly number[])[]): AnalyticDistribution {
  return mixture(
    points.map((mean) => ({ mean, std: 0 })),
    'finite-set',
  );
}

/**
 * The mixture on which sampler orders are measured: 1-D, three modes.
 *
 * @example
 * threeModes().dimension; // => 1
 */
export function threeModes(): AnalyticDistribution {
  return mixture([
    { weight: 0.3, mean: [-1.2], std: 0.25 },
    { weight: 0.5, mean: [0.4], std: 0.35 },
    { weight: 0.2, mean: [1.5], std: 0.2 },
  ]);
}

function prepare(components: readonly MixtureComponent[], dimension: number): readonly Component[] {
  if (dimension === 0)
    throw new UserError(`[${WHERE}] a mixture has a component with a mean: components=${components.length}. Pass at least one.`);
  const total = components.reduce((sum, { weight = 1 }) => sum + weight, 0);
  return components.map(({ weight = 1, mean, std }, k) => {
    const stds = typeof std === 'number' ? mean.map(() => std) : std;
    if (mean.length !== dimension || stds.length !== dimension) {
      throw new UserError(
        `[${WHERE}] dimensions differ: component ${k} has mean of ${mean.length} and std of ${stds.length}, expected ${dimension}. `
          + 'Make them equal.',
      );
    }
    checkNumber(WHERE, { [`components[${k}].weight`]: weight }, { above: 0 });
    stds.forEach((value) => checkNumber(WHERE, { [`components[${k}].std`]: value }, { atLeast: 0 }));
    return { logWeight: Math.log(weight / total), mean, variance: stds.map((value) => value ** 2) };
  });
}

/** log of weight times density of the noisy point under one component. */
function logJoint({ logWeight, mean, variance }: Component, x: ArrayLike<number>, { alpha, sigma }: NoiseLevel): number {
  let total = logWeight;
  for (let d = 0; d < mean.length; d++) {
    const v = alpha ** 2 * variance[d]! + sigma ** 2;
    total -= ((x[d]! - alpha * mean[d]!) ** 2 / v + Math.log(2 * Math.PI * v)) / 2;
  }
  return total;
}

function logSumExp(values: readonly number[]): number {
  const top = Math.max(...values);
  return top + Math.log(values.reduce((sum, value) => sum + Math.exp(value - top), 0));
}

/** Replaces noisy points by their E[x0 | x]. What depends on the level alone is computed once. */
function denoisePoints(components: readonly Component[], { alpha, sigma }: NoiseLevel, points: FloatArray): void {
  const dimension = components[0]!.mean.length;
  if (sigma === 0) {
    for (let i = 0; i < points.length; i++) points[i]! /= alpha;
    return;
  }
  const known = components.map(({ logWeight, mean, variance }) => {
    const noisy = Float64Array.from(variance, (v) => alpha ** 2 * v + sigma ** 2);
    const constant = noisy.reduce((sum, v) => sum - Math.log(2 * Math.PI * v) / 2, logWeight);
    return { constant, mean: Float64Array.from(mean), noisy, gain: noisy.map((v, d) => (alpha * variance[d]!) / v) };
  });
  const shares = new Float64Array(known.length);
  const result = new Float64Array(dimension);
  for (let from = 0; from < points.length; from += dimension) {
    for (let k = 0; k < known.length; k++) {
      const { constant, mean, noisy } = known[k]!;
      let total = constant;
      for (let d = 0; d < dimension; d++) total -= (points[from + d]! - alpha * mean[d]!) ** 2 / noisy[d]! / 2;
      shares[k] = total;
    }
    const top = shares.reduce((a, b) => Math.max(a, b));
    let sum = 0;
    for (let k = 0; k < shares.length; k++) sum += shares[k] = Math.exp(shares[k]! - top);
    result.fill(0);
    for (let k = 0; k < known.length; k++) {
      const { mean, gain } = known[k]!;
      for (let d = 0; d < dimension; d++) result[d]! += (shares[k]! / sum) * (mean[d]! + gain[d]! * (points[from + d]! - alpha * mean[d]!));
    }
    points.set(result, from);
  }
}

function draw(
  components: readonly Component[],
  { dimension, generator, count }: { readonly dimension: number; readonly generator: Generator; readonly count: number },
): Float64Array {
  const choices = generator.uniform64(count);
  const out = generator.normal64(count * dimension);
  for (let i = 0; i < count; i++) {
    let rest = choices[i]!;
    const found = components.find(({ logWeight }) => (rest -= Math.exp(logWeight)) < 0) ?? components.at(-1)!;
    for (let d = 0; d < dimension; d++) out[i * dimension + d] = found.mean[d]! + Math.sqrt(found.variance[d]!) * out[i * dimension + d]!;
  }
  return out;
}
