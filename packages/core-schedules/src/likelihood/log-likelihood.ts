import type { Algebra, NoiseLevel } from '@langevin/core';
import { dormandPrince } from '../maths/dormand-prince.ts';
import { angleOf, levelAtAngle, normOf } from './angle.ts';
import { alphaOf, type FlowAccuracy } from './probability-flow.ts';
import type { TracedDenoiser } from './trace.ts';

export interface LogLikelihoodOptions<T> extends FlowAccuracy {
  readonly algebra: Algebra<NoInfer<T>>;
  /** exactTrace() or hutchinsonTrace() of a denoiser. */
  readonly denoise: TracedDenoiser<NoInfer<T>>;
  /** [items, ...] */
  readonly x: T;
  /** Level of x, sigma > 0: the density is that of data with so much noise; `process.level(1e-5)` for images. */
  readonly from: NoiseLevel;
  /** Where the prior holds: `process.level(1)`. */
  readonly to: NoiseLevel;
  /** log density of one item at `to`, in its units. @default N(0, sigma^2), from which samplers start */
  readonly prior?: (x: Float64Array, to: NoiseLevel) => number;
}

export interface LogLikelihood<T> {
  /** Natural log of the density of each item, [items], per the units of x. */
  readonly logDensity: readonly number[];
  /** What x is encoded to, at `to`. */
  readonly latent: T;
  /** Evaluations of the traced denoiser. */
  readonly evaluations: number;
}

/**
 * The exact log-likelihood of states under a denoiser, along the probability-flow ODE: log p(x) = log prior(latent) + the integral of the
 * divergence (Song et al. 2021, arXiv:2011.13456, eq. 39), for any process. Divergence and state are held to the same tolerances.
 *
 * @throws UserError for clean levels, where a density may be infinite
 * @example
 * const data = gaussian({ mean: [0], std: 1 });
 * const algebra = arrayAlgebra();
 * const denoise = exactTrace<Float64Array>({ algebra, derivative: finiteDifference({ algebra, denoise: data.denoiser<Float64Array>() }) });
 * const { logDensity } = await logLikelihood<Float64Array>({
 *   algebra,
 *   denoise,
 *   x: Float64Array.of(0),
 *   from: flow().level(0.001),
 *   to: flow().level(1),
 * });
 * logDensity; // => [-0.91794]
 */
export async function logLikelihood<T>({
  algebra,
  denoise,
  x,
  from,
  to,
  prior = normalPrior,
  ...accuracy
}: LogLikelihoodOptions<T>): Promise<LogLikelihood<T>> {
  const where = 'core-schedules/log-likelihood';
  const items = algebra.items(x);
  const dimension = algebra.size(x) / items;
  const solved = await dormandPrince<T>({
    ...accuracy,
    algebra,
    x: algebra.linear([1 / normOf(from), x]),
    from: angleOf(where, 'from', from),
    to: angleOf(where, 'to', to),
    rate: async (state, time) => {
      const at = typeof time === 'number' ? levelAtAngle(time) : time.map(levelAtAngle);
      const alpha = alphaOf(at);
      const { denoised, trace } = await denoise(state, at);
      // Counted for each dimension, so that tolerances mean the same for points and for images.
      return {
        x: algebra.linear([alpha, state], [-1, denoised]),
        extra: trace.map((value, i) => (typeof alpha === 'number' ? alpha : alpha[i]!) - value / dimension),
      };
    },
  });
  const latent = algebra.linear([normOf(to), solved.x]);
  const values = Float64Array.from(await algebra.toHost(latent));
  const units = Math.log(normOf(to)) - Math.log(normOf(from));
  const logDensity = Array.from(
    { length: items },
    (_, item) => prior(values.subarray(item * dimension, (item + 1) * dimension), to) + dimension * (solved.extra[item]! + units),
  );
  return { logDensity, latent, evaluations: solved.evaluations };
}

function normalPrior(x: Float64Array, { sigma }: NoiseLevel): number {
  return x.reduce((total, value) => total - ((value / sigma) ** 2 + Math.log(2 * Math.PI)) / 2 - Math.log(sigma), 0);
}
