import type { Algebra, Denoiser, NoiseLevels } from '@langevin/core';
import { checkNumber, type Generator, UserError } from '@langevin/tensor';

const WHERE = 'core-schedules/trace';

/** A denoiser with its derivative by x in a direction, in the form of x. */
export type DenoiserDerivative<T> = (x: T, direction: T, at: NoiseLevels) => Promise<{ readonly denoised: T; readonly tangent: T }>;

/** A denoiser with the trace of its Jacobian by x, or an estimate of it, [items]. */
export type TracedDenoiser<T> = (x: T, at: NoiseLevels) => Promise<{ readonly denoised: T; readonly trace: readonly number[] }>;

export interface FiniteDifferenceOptions<T> {
  readonly algebra: Algebra<NoInfer<T>>;
  readonly denoise: Denoiser<T>;
  /** Length of the step along directions of unit elements, > 0. @default 1e-4, for float64 and errors of 1e-8; 1e-2 suits float32 */
  readonly step?: number;
}

/**
 * The derivative of any denoiser by central differences: three evaluations. For tensors, {@link networkDerivative} is exact.
 *
 * @example
 * const denoise = defineDenoiser({ nfe: 1, denoise: (x: Float64Array) => x.map((value) => value ** 2) });
 * const derivative = finiteDifference({ algebra: arrayAlgebra(), denoise });
 * (await derivative(Float64Array.of(3), Float64Array.of(1), sigmaLevel(1))).tangent; // => [6.000]
 */
export function finiteDifference<T>({ algebra, denoise, step = 1e-4 }: FiniteDifferenceOptions<T>): DenoiserDerivative<T> {
  checkNumber(WHERE, { step }, { above: 0 });
  return async (x, direction, at) => {
    const moved = (by: number): Promise<T> => denoise(algebra.linear([1, x], [by, direction]), at);
    const [denoised, above, below] = [await denoise(x, at), await moved(step), await moved(-step)];
    return { denoised, tangent: algebra.linear([0.5 / step, above], [-0.5 / step, below]) };
  };
}

export interface ExactTraceOptions<T> {
  readonly algebra: Algebra<NoInfer<T>>;
  readonly derivative: DenoiserDerivative<T>;
}

const MAX_DIMENSION = 4096;

/**
 * The trace itself, one derivative for each element of an item: for small dimensions.
 *
 * @example
 * const algebra: Algebra<Float64Array> = arrayAlgebra();
 * const denoise = defineDenoiser({ nfe: 1, denoise: (x: Float64Array) => x.map((value) => value / 2) });
 * const derivative = finiteDifference({ algebra, denoise });
 * const traced = exactTrace({ algebra, derivative });
 * (await traced(Float64Array.of(1, 2, 3), sigmaLevel(1))).trace; // => [1.500]
 */
export function exactTrace<T>({ algebra, derivative }: ExactTraceOptions<T>): TracedDenoiser<T> {
  return async (x, at) => {
    const items = algebra.items(x);
    const size = algebra.size(x) / items;
    if (size > MAX_DIMENSION)
      throw new UserError(
        `[${WHERE}] exact traces take one evaluation for each element: elements=${size}, at most ${MAX_DIMENSION}. Use hutchinsonTrace().`,
      );
    const trace = new Array<number>(items).fill(0);
    let denoised: T | undefined;
    for (let k = 0; k < size; k++) {
      const direction = algebra.fromHost(
        Float64Array.from({ length: items * size }, (_, i) => Number(i % size === k)),
        x,
      );
      const result = await derivative(x, direction, at);
      denoised ??= result.denoised;
      (await innerProducts(algebra, direction, result.tangent)).forEach((value, item) => (trace[item]! += value));
    }
    return { denoised: denoised!, trace };
  };
}

export interface ProbeOptions<T> {
  readonly algebra: Algebra<NoInfer<T>>;
  /** A state of the same form. */
  readonly like: T;
  readonly generator: Generator;
  /** Probes for each item, 1..1024. @default 1 */
  readonly count?: number;
  /** Signs have the least variance; Gaussian probes are the papers' other choice. @default 'rademacher' */
  readonly distribution?: 'rademacher' | 'gaussian';
}

/**
 * Random directions with unit covariance, to be kept for the whole of an integration.
 *
 * @example
 * const [probe] = drawProbes({ algebra: arrayAlgebra(), like: new Float64Array(4), generator: torchGenerator(0) });
 * probe!.every((value) => Math.abs(value) === 1); // => true
 */
export function drawProbes<T>({ algebra, like, generator, count = 1, distribution = 'rademacher' }: ProbeOptions<T>): T[] {
  checkNumber(WHERE, { count }, { atLeast: 1, atMost: 1024, kind: 'integer' });
  if (distribution !== 'rademacher' && distribution !== 'gaussian')
    throw new UserError(`[${WHERE}] unknown distribution: distribution="${String(distribution)}". Known: rademacher, gaussian.`);
  const size = algebra.size(like);
  return Array.from({ length: count }, () =>
    algebra.fromHost(
      distribution === 'gaussian' ? generator.normal64(size) : generator.uniform64(size).map((u) => (u < 0.5 ? -1 : 1)),
      like,
    ),
  );
}

export interface HutchinsonTraceOptions<T> extends ExactTraceOptions<T> {
  /** At least one, of drawProbes(); their mean counts. */
  readonly probes: readonly T[];
}

/**
 * Hutchinson's estimate, the mean of v J v over probes v: one derivative for each probe whatever the dimension, and unbiased (Grathwohl et
 * al. 2019, arXiv:1810.01367, section 3.1).
 *
 * @example
 * const algebra: Algebra<Float64Array> = arrayAlgebra();
 * const denoise = defineDenoiser({ nfe: 1, denoise: (x: Float64Array) => x.map((value) => value / 2) });
 * const derivative = finiteDifference({ algebra, denoise });
 * const probes = drawProbes<Float64Array>({ algebra, like: new Float64Array(4), generator: torchGenerator(0) });
 * (await hutchinsonTrace({ algebra, derivative, probes })(Float64Array.of(1, 2, 3, 4), sigmaLevel(1))).trace; // => [2.000]
 */
export function hutchinsonTrace<T>({ algebra, derivative, probes }: HutchinsonTraceOptions<T>): TracedDenoiser<T> {
  const [first, ...others] = probes;
  if (first === undefined) throw new UserError(`[${WHERE}] an estimate needs a probe: probes=0. Pass those of drawProbes().`);
  return async (x, at) => {
    const { denoised, tangent } = await derivative(x, first, at);
    const trace = [...(await innerProducts(algebra, first, tangent))];
    for (const probe of others) {
      const result = await derivative(x, probe, at);
      (await innerProducts(algebra, probe, result.tangent)).forEach((value, item) => (trace[item]! += value));
    }
    return { denoised, trace: trace.map((value) => value / probes.length) };
  };
}

/** [items] */
async function innerProducts<T>(algebra: Algebra<T>, a: T, b: T): Promise<readonly number[]> {
  const products = await algebra.toHost(algebra.multiply(a, b));
  const items = algebra.items(a);
  const size = products.length / items;
  return Array.from({ length: items }, (_, item) => {
    let total = 0;
    for (let i = item * size; i < (item + 1) * size; i++) total += products[i]!;
    return total;
  });
}
