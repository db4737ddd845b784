import { defineDenoiser, type Denoiser, isLevelList, type NoiseLevel, relativeSigma, type Sampler } from '@langevin/core';
import { arrayAlgebra, edm, karras } from '@langevin/core-schedules';
import { gaussian } from '@langevin/core-schedules/testing';
import { targetOf } from '../jump-target.ts';
import { imageNoise, startState } from '../noise.ts';
import { sample, trajectory } from '../trajectory.ts';
import { demand } from './demand.ts';
import { bed, gaussianMoments, orderGrid, slopeOf, starts } from './measure.ts';
import { withParts } from './with-parts.ts';

/**
 * What a sampler claims of its results:
 * - `order`: the error falls like steps^-order; `steps` where it is measured, @default 80 to 640. `orHigher` for methods whose leading
 *   error is small against those of higher order at such steps: the measured order may then be more than the declared one, never less
 * - `consistency`: with the exact consistency function to relative sigma `sigmaMin` (@default 0) instead of a denoiser, every step ends
 *   at the exact marginal, on `data` of one point, or on any Gaussian
 * - `tolerance`: the error is proportional to a tolerance, for a sampler made for each
 * - `sampled`: mean and deviation of many samples of Gaussian data are right up to `bias` and chance, in so many
 *   `steps` (@default 1), for stochastic methods whose steps depend on the state
 * - `formula`: whole runs are those of a published formula, for methods that lead to no ODE's end; `run` rejects where they are not
 */
export type Accuracy =
  | { readonly kind: 'order'; readonly steps?: readonly number[]; readonly orHigher?: boolean }
  | { readonly kind: 'consistency'; readonly data: 'point' | 'gaussian'; readonly sigmaMin?: number }
  | { readonly kind: 'tolerance'; readonly sampler: (tolerance: number) => Sampler }
  | { readonly kind: 'sampled'; readonly bias: number; readonly steps?: number }
  | { readonly kind: 'formula'; readonly run: () => Promise<void> };

const MEAN = 0.7;

/** Moments at every level of runs with the exact consistency function. */
export async function consistencyCheck(
  sampler: Sampler,
  { data, sigmaMin = 0 }: { readonly data: 'point' | 'gaussian'; readonly sigmaMin?: number },
): Promise<void> {
  for (const std of data === 'point' ? [0] : [0, 0.3, 2]) {
    const denoise = consistencyFunction(std, sigmaMin);
    for (const steps of [1, 2, 5]) {
      const levels = karras().levels(edm(), { steps });
      for (let end = 1; end <= steps; end++) {
        const { alpha, sigma } = levels[end]!;
        const { mean, variance } = await gaussianMoments(sampler, { mean: MEAN, std, levels: levels.slice(0, end + 1), denoise });
        const expected = (alpha * std) ** 2 + Math.max(sigma, alpha * sigmaMin) ** 2;
        const gap = Math.max(Math.abs(mean - alpha * MEAN), Math.abs(variance - expected) / Math.max(1, expected));
        demand(
          gap < 1e-10,
          `step ${end} of ${steps} ends with mean ${mean} and variance ${variance} where N(${MEAN}, ${std}^2) has ${alpha * MEAN} `
            + `and ${expected}`,
        );
      }
    }
  }
}

/** Where the ODE of N(0.7, std^2) leads at sigmaMin; or, to a named target, the prediction with which a jump along it arrives. */
function consistencyFunction(std: number, sigmaMin: number): Denoiser<Float64Array> {
  const { flow } = gaussian({ mean: [MEAN], std });
  return withParts(
    defineDenoiser<Float64Array>({
      nfe: 1,
      denoise: (x, at) => {
        if (isLevelList(at)) return Promise.reject(new Error('few-step samplers ask for one level for the whole batch'));
        const target = targetOf(at);
        if (target === undefined) return Promise.resolve(flow(x, { from: at, to: { alpha: 1, sigma: sigmaMin } }));
        const kept = target.sigma / at.sigma;
        const end = flow(x, { from: at, to: target });
        return Promise.resolve(end.map((value, i) => (value - kept * x[i]!) / (target.alpha - at.alpha * kept)));
      },
    }),
  );
}

const TOLERANCES = [1e-3, 1e-5, 1e-7, 1e-9];

/** What an adaptive sampler makes of one interval at a tolerance. */
export interface ToleranceRow {
  readonly data: 'gaussian' | 'mixture';
  readonly tolerance: number;
  readonly error: number;
  /** Evaluations. */
  readonly nfe: number;
}

/** Error and cost of an adaptive sampler against its tolerance, in one interval, on Gaussian data and a mixture. */
export async function measureTolerance(sampler: (tolerance: number) => Sampler): Promise<readonly ToleranceRow[]> {
  const rows: ToleranceRow[] = [];
  for (const data of ['gaussian', 'mixture'] as const) {
    const { denoise, target } = await bed(data);
    for (const tolerance of TOLERANCES) {
      const algebra = arrayAlgebra({ items: starts().length });
      for await (const { x, nfe } of trajectory({ sampler: sampler(tolerance), denoise, x: starts(), levels: orderGrid(1), algebra })) {
        rows.push({ data, tolerance, nfe, error: x.reduce((worst, value, i) => Math.max(worst, Math.abs(value - target[i]!)), 0) });
      }
    }
  }
  return rows;
}

/** The error follows the tolerance, and a tighter one costs more. */
export async function toleranceCheck(sampler: (tolerance: number) => Sampler): Promise<void> {
  const all = await measureTolerance(sampler);
  for (const data of ['gaussian', 'mixture'] as const) {
    const rows = all.filter((row) => row.data === data);
    const shown =
      `errors ${rows.map(({ error }) => error.toExponential(2)).join(', ')} and calls ${rows.map(({ nfe }) => nfe).join(', ')} at `
      + `tolerances ${TOLERANCES.join(', ')} on ${data}`;
    const slope = slopeOf(
      TOLERANCES.map((tolerance) => 1 / tolerance),
      rows.map(({ error }) => error),
    );
    demand(Math.abs(slope - 1) < 0.2, `the error goes like tolerance^${slope.toFixed(2)}: ${shown}`);
    demand(
      rows.every(({ error, tolerance }) => error < 100 * tolerance),
      `an error is more than 100 times the tolerance: ${shown}`,
    );
    demand(
      rows.every(({ nfe }, i) => i === 0 || nfe > rows[i - 1]!.nfe),
      `a tighter tolerance does not cost more: ${shown}`,
    );
  }
}

/** Numbers enough for norms of an image to mean something, and images enough for chance to be small. */
const SAMPLED = { images: 64, size: 64 };

/** Mean and deviation of 4096 numbers from N(0.7, 0.3^2), with chance of 4 standard errors. */
export async function sampledCheck(
  sampler: Sampler,
  { bias, steps = 1 }: { readonly bias: number; readonly steps?: number },
): Promise<void> {
  const count = SAMPLED.images * SAMPLED.size;
  const levels: readonly NoiseLevel[] = orderGrid(steps);
  const algebra = arrayAlgebra({ items: SAMPLED.images });
  const noise = imageNoise({ seed: 17 });
  const denoise = withParts(gaussian({ mean: [MEAN], std: 0.3 }).denoiser<Float64Array>());
  const [first, last] = [levels[0]!, levels.at(-1)!];
  const z = await startState({ algebra, noise, at: { alpha: 1, sigma: 1 }, like: new Float64Array(count) });
  const x = z.map((value) => first.alpha * MEAN + Math.hypot(first.alpha * 0.3, first.sigma) * value);
  const end = await sample({ sampler, denoise, x, levels, noise, algebra });
  const mean = end.reduce((sum, value) => sum + value, 0) / count;
  const std = Math.sqrt(end.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (count - 1));
  const expected = Math.hypot(0.3, relativeSigma(last)) * last.alpha;
  demand(
    Math.abs(mean - last.alpha * MEAN) < bias + (4 * expected) / Math.sqrt(count),
    `mean ${mean}, expected ${last.alpha * MEAN} up to ${bias} and chance`,
  );
  demand(
    Math.abs(std - expected) < bias + (4 * expected) / Math.sqrt(2 * count),
    `deviation ${std}, expected ${expected} up to ${bias} and chance`,
  );
}
