import type { Algebra, Denoiser } from '@langevin/core';
import { checkNumber, UserError } from '@langevin/tensor';
import { chainTerm, type ChainTerm } from '../objectives/chain-terms.ts';
import { discretisedLogProbability } from '../objectives/discretised-decoder.ts';
import type { DiscreteNoiseProcess } from '../processes/discrete-vp.ts';

const WHERE = 'core-schedules/variational-bound';

/**
 * The variance of the reverse steps: that of the posterior (`fixed-small`), beta (`fixed-large`), learned by the denoiser, whose
 * `detailed` then has `variance`, or a number for each step.
 */
export type ReverseVariance = 'fixed-small' | 'fixed-large' | 'learned' | ((step: number) => number);

export interface VariationalBoundOptions<T> {
  readonly algebra: Algebra<NoInfer<T>>;
  readonly denoise: Denoiser<NoInfer<T>>;
  readonly process: DiscreteNoiseProcess;
  /** [items, ...]: pixels k / 127.5 - 1 for the discretised decoder. */
  readonly x0: T;
  /** Unit noise in the form of x0, anew for each step. */
  readonly noise: (step: number) => T | Promise<T>;
  /** @default 'fixed-small' */
  readonly variance?: ReverseVariance;
  /** What the last step is measured by: probabilities of 8-bit pixels, or the density of continuous data. @default 'discretised' */
  readonly decoder?: 'discretised' | 'density';
  /** Steps whose terms are computed; the others count as their mean. @default all */
  readonly steps?: readonly number[];
  readonly signal?: AbortSignal;
}

/** The bound on -log p(x0) in parts; all in bits per dimension, [items] each. */
export interface VariationalBound {
  /** L_T: KL(q(x_T | x0) || N(0, I)). */
  readonly prior: readonly number[];
  /** L_(T-1) .. L_1 and L_0, by step. */
  readonly terms: ReadonlyMap<number, readonly number[]>;
  readonly total: readonly number[];
}

/**
 * The evidence lower bound, negated, of a chain: L_T + sum of KL(q(x_(t-1) | x_t, x0) || p(x_(t-1) | x_t)) + L_0 (Ho et al. 2020,
 * arXiv:2006.11239, eq. 5), one evaluation of the denoiser for each step, sums in float64 on the host.
 *
 * @example
 * const process = discreteVp({ steps: 10 });
 * const denoise = defineDenoiser({ nfe: 1, denoise: (x: Float64Array) => x.map(() => 0) });
 * const noise = () => Float64Array.of(0.5, -0.5);
 * const bound = await variationalBound<Float64Array>({ algebra: arrayAlgebra(), denoise, process, x0: new Float64Array(2), noise });
 * bound.terms.size; // => 10
 */
export async function variationalBound<T>(options: VariationalBoundOptions<T>): Promise<VariationalBound> {
  const { algebra, denoise, process, x0, variance = 'fixed-small', decoder = 'discretised', signal } = options;
  const steps = stepsOf(options);
  const items = algebra.items(x0);
  const pixels = await algebra.toHost(x0);
  const size = pixels.length / items;
  const terms = new Map<number, readonly number[]>();
  for (const step of steps) {
    signal?.throwIfAborted();
    const level = process.level(process.timeOfStep(step));
    const x = algebra.linear([level.alpha, x0], [level.sigma, await options.noise(step)]);
    const term = chainTerm(process, step);
    const { denoised, logVariance } = await evaluate(x, term, step);
    const error = await algebra.toHost(algebra.linear([1, denoised], [-1, x0]));
    const sums = new Array<number>(items).fill(0);
    error.forEach((value, i) => {
      sums[Math.floor(i / size)]! += term.decoder ? -decode(pixels[i]!, value, logVariance(i)) : divergence(term, value, logVariance(i));
    });
    terms.set(
      step,
      sums.map((sum) => sum / size / Math.LN2),
    );
  }
  const prior = priorTerms(pixels, items);
  const count = process.steps;
  const total = prior.map((value, item) => {
    const inner = [...terms].filter(([step]) => step > 0).map(([, of]) => of[item]!);
    const sum = inner.reduce((a, b) => a + b, 0);
    return value + (inner.length === 0 ? 0 : (sum * (count - 1)) / inner.length) + (terms.get(0)?.[item] ?? 0);
  });
  return { prior, terms, total };

  async function evaluate(
    x: T,
    term: ChainTerm,
    step: number,
  ): Promise<{ readonly denoised: T; readonly logVariance: (i: number) => number }> {
    const level = process.level(process.timeOfStep(step));
    if (variance !== 'learned') {
      const fixed = variance === 'fixed-small' ? term.logPosterior : variance === 'fixed-large' ? term.logBeta : Math.log(variance(step));
      return { denoised: await denoise(x, level), logVariance: () => fixed };
    }
    const detail = await denoise.detailed(x, level);
    if (detail.variance === undefined)
      throw new UserError(
        `[${WHERE}] the denoiser gives no variance: variance=learned. Pass a denoiser with detailed().variance, or a fixed variance.`,
      );
    const values = await algebra.toHost(detail.variance);
    return {
      denoised: detail.denoised,
      logVariance: (i) => term.logPosterior + ((values[i]! + 1) / 2) * (term.logBeta - term.logPosterior),
    };
  }

  function decode(pixel: number, error: number, logVariance: number): number {
    if (decoder === 'density') return -(error ** 2 / Math.exp(logVariance) + logVariance + Math.log(2 * Math.PI)) / 2;
    return discretisedLogProbability(pixel, { mean: pixel + error, deviation: Math.exp(logVariance / 2) });
  }

  /** KL(N(alpha x0, sigma^2) || N(0, 1)) with sigma^2 - 1 = -alpha^2. */
  function priorTerms(values: Float32Array | Float64Array, count: number): number[] {
    const alphaBar = process.alphaBars.at(-1)!;
    return Array.from({ length: count }, (_, item) => {
      let squares = 0;
      for (let i = item * size; i < (item + 1) * size; i++) squares += values[i]! ** 2 / size;
      return (alphaBar * (squares - 1) - Math.log1p(-alphaBar)) / 2 / Math.LN2;
    });
  }
}

/** KL of the posterior from a step with a mean that is off by x0Scale times the error of x0, for one element, in nats. */
function divergence({ x0Scale, logPosterior }: ChainTerm, error: number, logVariance: number): number {
  const ratio = logPosterior - logVariance;
  return (Math.expm1(ratio) - ratio + (x0Scale * error) ** 2 * Math.exp(-logVariance)) / 2;
}

function stepsOf<T>({ process, steps, variance = 'fixed-small', decoder = 'discretised' }: VariationalBoundOptions<T>): readonly number[] {
  if (decoder !== 'discretised' && decoder !== 'density')
    throw new UserError(`[${WHERE}] unknown decoder: decoder="${String(decoder)}". Known: discretised, density.`);
  if (typeof variance === 'string' && !['fixed-small', 'fixed-large', 'learned'].includes(variance)) {
    throw new UserError(
      `[${WHERE}] unknown variance: variance="${String(variance)}". Known: fixed-small, fixed-large, learned, or a function of the step.`,
    );
  }
  if (steps === undefined) return Array.from({ length: process.steps }, (_, i) => process.steps - 1 - i);
  steps.forEach((step, i) => checkNumber(WHERE, { [`steps[${i}]`]: step }, { atLeast: 0, atMost: process.steps - 1, kind: 'integer' }));
  return steps;
}
