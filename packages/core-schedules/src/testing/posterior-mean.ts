import { isLevelList, type NoiseLevel, type NoiseLevels } from '@langevin/core';
import { checkNumber, shownValue, UserError } from '@langevin/tensor';
import type { FloatArray } from '../array-algebra.ts';

const WHERE = 'core-schedules/testing';

/** A Gaussian of a mixture, its weight as the logarithm of its share. */
export interface Component {
  readonly logWeight: number;
  readonly mean: readonly number[];
  readonly variance: readonly number[];
}

/** Which component each point is from; null where that is not known. */
export type ComponentLabels = readonly (number | null)[];

export interface Posterior<T> {
  readonly components: readonly Component[];
  readonly x: T;
  readonly at: NoiseLevels;
  /** @default not known of any */
  readonly labels?: ComponentLabels;
}

/** E[x0 | x] of noisy points, and where labels are given of those components alone. */
export function posteriorMean<T extends FloatArray>(posterior: Posterior<T>): T {
  const out = posterior.x.slice() as T;
  eachPoint(posterior, ({ sigma, alpha }, noised, from) => {
    const dimension = noised.dimension;
    for (let d = 0; d < dimension; d++) {
      if (sigma === 0) out[from + d] = posterior.x[from + d]! / alpha;
      else {
        let sum = 0;
        for (let k = 0; k < noised.parts.length; k++) if (noised.shares[k]! > 0) sum += noised.shares[k]! * centreOf(noised, k, d);
        out[from + d] = sum;
      }
    }
  });
  return out;
}

/**
 * J^T c with J the derivative of {@link posteriorMean}. With shares w_k, centres m_k = mu_k + g_k (x - alpha mu_k), and the slopes
 * s_k = -(x - alpha mu_k) / v_k of their log densities: sum over k of w_k (g_k c + (m_k . c) (s_k - sum of w_j s_j)).
 */
export function pulledBack<T extends FloatArray>(posterior: Posterior<T>, cotangent: T): T {
  const { x } = posterior;
  if (cotangent.length !== x.length)
    throw new UserError(
      `[${WHERE}] a cotangent has the form of the state: length=${cotangent.length}, expected ${x.length}. Pass as many.`,
    );
  const out = x.slice() as T;
  eachPoint(posterior, ({ sigma, alpha }, noised, from) => {
    const { dimension, parts, shares } = noised;
    if (sigma === 0) {
      for (let d = 0; d < dimension; d++) out[from + d] = cotangent[from + d]! / alpha;
      return;
    }
    const slopeOf = (k: number, d: number): number => -(x[from + d]! - alpha * parts[k]!.mean[d]!) / parts[k]!.noisy[d]!;
    const along = parts.map((_, k) => {
      let sum = 0;
      for (let d = 0; d < dimension; d++) sum += centreOf(noised, k, d) * cotangent[from + d]!;
      return sum;
    });
    for (let d = 0; d < dimension; d++) {
      let slope = 0;
      for (let k = 0; k < parts.length; k++) if (shares[k]! > 0) slope += shares[k]! * slopeOf(k, d);
      let sum = 0;
      for (let k = 0; k < parts.length; k++)
        if (shares[k]! > 0) sum += shares[k]! * (parts[k]!.gain[d]! * cotangent[from + d]! + along[k]! * (slopeOf(k, d) - slope));
      out[from + d] = sum;
    }
  });
  return out;
}

/** What a level makes of the components, and what one point says of them. */
interface Noised {
  readonly dimension: number;
  readonly parts: readonly {
    readonly constant: number;
    readonly mean: Float64Array;
    readonly noisy: Float64Array;
    readonly gain: Float64Array;
  }[];
  /** The probability of each component, for the point at hand. */
  readonly shares: Float64Array;
  /** x - alpha mean of the point at hand, component by component. */
  readonly offsets: Float64Array;
}

function centreOf({ parts, offsets, dimension }: Noised, k: number, d: number): number {
  return parts[k]!.mean[d]! + parts[k]!.gain[d]! * offsets[k * dimension + d]!;
}

/** Calls back for each point, with what depends on the level alone computed once. */
function eachPoint<T extends FloatArray>(
  { components, x, at, labels }: Posterior<T>,
  visit: (level: NoiseLevel, noised: Noised, from: number) => void,
): void {
  const dimension = components[0]!.mean.length;
  const levels: readonly NoiseLevel[] = isLevelList(at) ? at : [at];
  const points = x.length / dimension / levels.length;
  if (!Number.isInteger(points))
    throw new UserError(
      `[${WHERE}] the state does not divide into points: length=${x.length}, dimension=${dimension}, levels=${levels.length}. `
        + 'Pass whole points, as many for each level.',
    );
  if (labels !== undefined) checkLabels(labels, { points: points * levels.length, components: components.length });
  levels.forEach((level, part) => {
    const noised = noisedBy(level, components);
    for (let point = part * points; point < (part + 1) * points; point++) {
      weigh(noised, { level, x, from: point * dimension, only: labels?.[point] ?? null });
      visit(level, noised, point * dimension);
    }
  });
}

function noisedBy({ alpha, sigma }: NoiseLevel, components: readonly Component[]): Noised {
  const dimension = components[0]!.mean.length;
  return {
    dimension,
    parts: components.map(({ logWeight, mean, variance }) => {
      const noisy = Float64Array.from(variance, (v) => alpha ** 2 * v + sigma ** 2);
      const constant = noisy.reduce((sum, v) => sum - Math.log(2 * Math.PI * v) / 2, logWeight);
      return { constant, mean: Float64Array.from(mean), noisy, gain: noisy.map((v, d) => (alpha * variance[d]!) / v) };
    }),
    shares: new Float64Array(components.length),
    offsets: new Float64Array(components.length * dimension),
  };
}

function weigh(
  { parts, shares, offsets, dimension }: Noised,
  { level, x, from, only }: { readonly level: NoiseLevel; readonly x: FloatArray; readonly from: number; readonly only: number | null },
): void {
  if (level.sigma === 0) return;
  for (let k = 0; k < parts.length; k++) {
    const { constant, mean, noisy } = parts[k]!;
    let total = constant;
    for (let d = 0; d < dimension; d++) {
      const offset = (offsets[k * dimension + d] = x[from + d]! - level.alpha * mean[d]!);
      total -= offset ** 2 / noisy[d]! / 2;
    }
    shares[k] = only === null || only === k ? total : -Infinity;
  }
  const top = shares.reduce((a, b) => Math.max(a, b));
  let sum = 0;
  for (let k = 0; k < shares.length; k++) sum += shares[k] = Math.exp(shares[k]! - top);
  for (let k = 0; k < shares.length; k++) shares[k]! /= sum;
}

function checkLabels(labels: unknown, { points, components }: { readonly points: number; readonly components: number }): void {
  if (!Array.isArray(labels) || labels.length !== points)
    throw new UserError(
      `[${WHERE}] labels are a list with one for each point: labels=${shownValue(labels)}, points=${points}. Pass a component or null.`,
    );
  labels.forEach((label: unknown, i) => {
    if (label !== null) checkNumber(WHERE, { [`labels[${i}]`]: label }, { atLeast: 0, atMost: components - 1, kind: 'integer' });
  });
}
