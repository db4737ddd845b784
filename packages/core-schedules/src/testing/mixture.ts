import { type ConditionalDenoiser, defineConditionalDenoiser, defineDenoiser, type Denoiser, type NoiseLevel } from '@langevin/core';
import { checkNumber, type Generator, UserError } from '@langevin/tensor';
import type { FloatArray } from '../array-algebra.ts';
import type { AnalyticDistribution } from './distribution.ts';
import { type Component, type ComponentLabels, posteriorMean, pulledBack } from './posterior-mean.ts';

const WHERE = 'core-schedules/testing';

export interface MixtureComponent {
  /** Share, > 0; shares are scaled to add up to 1. @default 1 */
  readonly weight?: number;
  readonly mean: readonly number[];
  /** Deviation along each axis, >= 0; one number serves all. */
  readonly std: number | readonly number[];
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
  const denoiser = <T extends FloatArray>(): Denoiser<T> =>
    defineDenoiser<T>({
      nfe: 1,
      denoise: (x, at) => posteriorMean({ components: prepared, x, at }),
      pullback: async (x, at) => ({
        denoised: posteriorMean({ components: prepared, x, at }),
        vjp: async (cotangent) => ({ x: pulledBack({ components: prepared, x, at }, cotangent) }),
      }),
    });
  const conditional = <T extends FloatArray>(): ConditionalDenoiser<T, ComponentLabels> =>
    defineConditionalDenoiser<T, ComponentLabels>({
      nfe: 1,
      denoise: (x, at, labels) => posteriorMean({ components: prepared, x, at, labels }),
      pullback: async (x, at, labels) => ({
        denoised: posteriorMean({ components: prepared, x, at, labels }),
        vjp: async (cotangent) => ({
          x: pulledBack({ components: prepared, x, at, labels }, cotangent),
          condition: labels.map(() => 0),
        }),
      }),
    });
  return Object.freeze({
    name,
    dimension,
    denoiser,
    conditional,
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
