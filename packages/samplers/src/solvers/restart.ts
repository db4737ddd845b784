import { defineSampler, type NoiseLevel, relativeSigma, type Sampler, type StepOutput } from '@langevin/core';
import { karrasSigmas } from '@langevin/core-schedules';
import { checkNumber, readOptions } from '@langevin/tensor';
import { checkBase, checkKind, isObject } from '../check-option.ts';
import { jumpBack } from '../jump-back.ts';
import { heun } from './heun.ts';

/** A stretch of noise levels that is sampled again and again. */
export interface RestartInterval {
  /** sigma / alpha where the stretch ends, > 0. */
  readonly sigmaMin: number;
  /** sigma / alpha up to which noise is added, > sigmaMin. */
  readonly sigmaMax: number;
  /** How often, a positive integer; the paper's K. */
  readonly repeats: number;
  /** Steps of each repetition, on Karras' levels. @default the levels of the run itself in the stretch */
  readonly steps?: number;
}

export interface RestartOptions {
  /** @default one from 0.06 to 0.30, 2 times in 3 steps: the paper's for CIFAR-10 */
  readonly intervals?: readonly RestartInterval[];
  /** What solves the ODE. @default heun() */
  readonly base?: Sampler;
}

/**
 * Restart sampling (Xu et al. 2023, arXiv:2306.14878, Algorithm 1): a solver of the ODE that, where a run passes the end of an interval,
 * adds the noise of the whole interval and solves it again, K times: fresh noise contracts earlier errors as an SDE does, and long ODE
 * steps stay accurate. An interval starts at the level of the run nearest to its sigmaMin.
 *
 * @throws UserError for intervals out of range, and a base that is no sampler
 * @example
 * // 18 steps of Heun, one evaluation fewer at the clean end, and twice three more.
 * let calls = 0;
 * const denoise = defineDenoiser({ nfe: 1, denoise: (x: Float64Array) => (calls++, x.map(() => 0.5)) });
 * await sample({
 *   sampler: restart(),
 *   denoise,
 *   x: Float64Array.of(80),
 *   levels: karras().levels(edm(), { steps: 18 }),
 *   noise: imageNoise({ seed: 0 }),
 * });
 * calls; // => 47
 */
export function restart(options: RestartOptions = {}): Sampler {
  const { intervals = [{ sigmaMin: 0.06, sigmaMax: 0.3, repeats: 2, steps: 3 }], base = heun() } = readOptions('samplers/restart', options);
  checkKind('restart', {
    name: 'intervals',
    value: intervals,
    holds: Array.isArray(intervals) && intervals.every(isObject),
    remedy: 'Pass a list of { sigmaMin, sigmaMax, repeats }.',
  });
  intervals.forEach(checkInterval);
  checkBase('restart', base);
  return defineSampler({
    name: 'restart',
    order: base.order,
    stochastic: base.stochastic || intervals.length > 0,
    paper: 'arXiv:2306.14878, Algorithm 1',
    init: base.init,
    step: async (input) => {
      const { levels, index } = input;
      let output: StepOutput<typeof input.x> = { state: input.state, ...(await base.step(input)) };
      let jumps = 0;
      for (const interval of intervals) {
        if (endOf(interval, levels) !== index + 1) continue;
        const { grid, start } = gridOf(interval, { levels, end: index + 1 });
        for (let again = 0; again < interval.repeats; again++)
          output = await jumpBack({ base, input, x: output.x, grid, index: start, jumps: jumps++ });
      }
      return output;
    },
  });
}

/** The level, noisy and below sigmaMax, nearest to sigmaMin in the logarithm; -1 where a run has none. */
function endOf({ sigmaMin, sigmaMax }: RestartInterval, levels: readonly NoiseLevel[]): number {
  let best = -1;
  let least = Infinity;
  levels.forEach((level, i) => {
    const sigma = relativeSigma(level);
    const distance = Math.abs(Math.log(sigma / sigmaMin));
    if (i === 0 || sigma === 0 || sigma >= sigmaMax || distance >= least) return;
    best = i;
    least = distance;
  });
  return best;
}

interface Stretch {
  readonly grid: readonly NoiseLevel[];
  /** Number of its first step in the run. */
  readonly start: number;
}

function gridOf(
  { sigmaMax, steps }: RestartInterval,
  { levels, end }: { readonly levels: readonly NoiseLevel[]; readonly end: number },
): Stretch {
  const last = levels[end]!;
  if (steps === undefined) {
    // From the noisiest level within the stretch, or one step back.
    const start = Math.min(
      end - 1,
      Math.max(
        0,
        levels.findIndex((level) => relativeSigma(level) <= sigmaMax * (1 + 1e-9)),
      ),
    );
    return { grid: levels.slice(start, end + 1), start };
  }
  // A denoiser does not care for the scale of a level, so that of the last one serves all.
  const sigmas = karrasSigmas({ steps: steps + 1, sigmaMax, sigmaMin: relativeSigma(last) });
  return {
    grid: [...Array.from(sigmas.slice(0, steps), (sigma) => ({ alpha: last.alpha, sigma: last.alpha * sigma })), last],
    start: Math.max(0, end - steps),
  };
}

function checkInterval({ sigmaMin, sigmaMax, repeats, steps }: RestartInterval, i: number): void {
  const named = (name: string, value: unknown): Readonly<Record<string, unknown>> => ({ [`intervals[${i}].${name}`]: value });
  checkNumber('samplers/restart', named('sigmaMin', sigmaMin), { above: 0 });
  checkNumber('samplers/restart', named('sigmaMax', sigmaMax), { above: sigmaMin, advice: 'Pass a number > sigmaMin.' });
  checkNumber('samplers/restart', named('repeats', repeats), { atLeast: 1, kind: 'integer' });
  if (steps !== undefined) checkNumber('samplers/restart', named('steps', steps), { atLeast: 1, kind: 'integer' });
}
