import { type Algebra, emptyState, type NoiseLevel, relativeSigma, type RunOptions, type RunStep, type Sampler } from '@langevin/core';
import { arrayAlgebra, transition } from '@langevin/core-schedules';
import { checkNumber, UserError } from '@langevin/tensor';
import { checkNoise, checkRun, checkState } from './check-run.ts';
import { evaluations } from './evaluations.ts';
import { checkEnd, watchesSteps } from './finite.ts';
import { checkLevels } from './levels.ts';
import { plainAlgebra } from './trajectory.ts';

export interface ParallelTrajectoryOptions<T> extends Omit<RunOptions<T>, 'resume' | 'startAt'> {
  /** One evaluation a step, at its start, and no memory: `ddim()`, `ddpm()`, `euler()`, `eulerMaruyama()`, ... */
  readonly sampler: Sampler;
  /**
   * Steps evaluated in one batch, a positive integer: as many as the device takes at no extra time.
   * @default 10, the paper's for one device
   */
  readonly window?: number;
  /**
   * Change up to which a state counts as converged, >= 0: root mean square over the image, relative to the noise of an ancestral step to
   * its level. 0 gives what
   * `trajectory()` gives, bit for bit.
   *
   * @default 0.1, the paper's
   */
  readonly tolerance?: number;
}

export interface ParallelStep<T> extends RunStep<T> {
  /** Batched calls of the denoiser so far: what the run takes in time, where `nfe` is what it takes in work for one image. */
  readonly calls: number;
}

/**
 * ParaDiGMS (Shih et al. 2023, arXiv:2305.16317, Algorithm 1): Picard iteration over a window of steps, whose evaluations are one batch.
 * States are yielded as they converge, in order, so several may come at once. Noise is drawn once for each step, as `trajectory()` draws
 * it.
 *
 * A run is traded for fewer, larger batches: with N steps, at least N / window calls, at most N. An image depends on its batch as far as
 * the tolerance allows, since a window moves on when all of its images have converged.
 *
 * Changes are carried from state to state in units where alpha^2 + sigma^2 = 1, as published for variance-preserving processes, so that
 * units do not matter.
 *
 * @throws UserError as `trajectory()`, for options out of range, and for samplers that ask more than once a step or look back
 * @example
 * const denoise = mixture([
 *   { mean: [-1], std: 0.1 },
 *   { mean: [1], std: 0.1 },
 * ]).denoiser<Float64Array>(); // stands for a network
 * const levels = sigmaLevels(karrasSigmas({ steps: 18 }));
 * let batches = 0;
 * for await (const { calls } of parallelTrajectory({ sampler: ddim(), denoise, x: Float64Array.of(80), levels, window: 6 }))
 *   batches = calls;
 * batches < 18; // => true
 */
export async function* parallelTrajectory<T>(given: ParallelTrajectoryOptions<T>): AsyncGenerator<ParallelStep<T>, void, undefined> {
  const options = checkRun(given);
  const { levels, window = 10, tolerance = 0.1 } = options;
  checkLevels(levels);
  const where = 'samplers/parallel-trajectory';
  checkNumber(where, { window }, { atLeast: 1, kind: 'integer', advice: 'Pass the number of steps that fit one batch.' });
  checkNumber(where, { tolerance }, { atLeast: 0, advice: 'Pass 0 for what trajectory() gives, 0.1 as the paper.' });
  checkNoise(options.sampler, options.noise);
  const algebra = options.algebra ?? plainAlgebra(options.x);
  checkState(algebra, 'x', { value: options.x, like: options.x, remedy: 'Pass what startState() gives.' });
  const watched = watchesSteps(options.finite, algebra);
  const steps = levels.length - 1;
  const items = algebra.items(options.x);
  const limits = levels.map((_, i) => (i === 0 ? 0 : tolerance * noiseOf(levels, i)));
  const size = ({ alpha, sigma }: NoiseLevel): number => Math.hypot(alpha, sigma);
  const draws: T[][] = [];
  /** States by number, guessed where not yet known; those up to `done` are final. */
  let states: readonly T[] = [options.x];
  let done = 0;
  let calls = 0;
  let nfe = 0;
  while (done < steps) {
    const count = Math.min(window, steps - done);
    const guesses = Array.from(
      { length: count + 1 },
      (_, k) => states[k] ?? algebra.linear([size(levels[done + k]!) / size(levels[done + states.length - 1]!), states.at(-1)!]),
    );
    const here = `steps ${done + 1} to ${done + count} of ${steps} of ${options.sampler.name}`;
    const asking = evaluations({
      ...options,
      algebra,
      signal: options.signal,
      here,
      watched,
      count: (evaluated) => (nfe += evaluated * count),
    });
    const shown = guesses.slice(0, count);
    const at = Array.from({ length: count }, (_, k) => Array.from({ length: items }, () => levels[done + k]!)).flat();
    const denoised = algebra.split(await asking.denoise(algebra.concat(shown), at), count);
    calls++;
    const next: T[] = [guesses[0]!];
    const changes: T[] = [];
    for (let k = 0; k < count; k++) {
      const index = done + k;
      const stepped = await stepOnce(options, { algebra, index, x: guesses[k]!, denoised: denoised[k]!, draws: (draws[index] ??= []) });
      // What the start of the step has changed since it was evaluated is passed on as it is; nothing, bit for bit, where it has not.
      const carried = k === 0 ? stepped : algebra.linear([1, stepped], [size(levels[index + 1]!) / size(levels[index]!), changes[k - 1]!]);
      next.push(carried);
      changes.push(algebra.linear([1, carried], [-1, guesses[k + 1]!]));
    }
    const errors = await algebraOf(algebra, items * count).scaledRms(algebra.concat(changes), { absolute: 1, relative: 0, of: [] });
    await algebra.realize([...next, ...denoised]);
    const converged = (k: number): boolean => errors.slice(k * items, (k + 1) * items).every((error) => error <= limits[done + k + 1]!);
    // The state after the last converged one follows from it, and so is final too.
    let advance = 1;
    while (advance < count && converged(advance - 1)) advance++;
    if (done + advance === steps) await checkEnd(algebra, next[advance]!, { here, watched });
    for (let k = 1; k <= advance; k++) {
      yield { step: done + k, steps, x: next[k]!, denoised: denoised[k - 1]!, at: levels[done + k]!, nfe, calls, state: emptyState() };
    }
    states = next.slice(advance);
    done += advance;
  }
}

/** Deviation of the noise that an ancestral step to level i adds; of the level before it, where that is clean. */
function noiseOf(levels: readonly NoiseLevel[], i: number): number {
  const k = relativeSigma(levels[i]!) === 0 && i > 1 ? i - 1 : i;
  return Math.sqrt(transition(levels[k - 1]!, levels[k]!).posterior);
}

/** Norms of a batch of several states: plain arrays are told how many items they hold. */
function algebraOf<T>(algebra: Algebra<T>, items: number): Algebra<T> {
  return algebra.name === 'arrays' ? (arrayAlgebra({ items }) as unknown as Algebra<T>) : algebra;
}

interface StepRequest<T> {
  readonly algebra: Algebra<T>;
  readonly index: number;
  readonly x: T;
  readonly denoised: T;
  /** Noise of this step, drawn the first time. */
  readonly draws: T[];
}

/** A step of the sampler from an evaluation already made. */
async function stepOnce<T>(
  { sampler, levels, noise }: ParallelTrajectoryOptions<T>,
  { algebra, index, x, denoised, draws }: StepRequest<T>,
): Promise<T> {
  const [from, to] = [levels[index]!, levels[index + 1]!];
  const refuse = (what: string): never => {
    throw new UserError(
      `[samplers/parallel-trajectory] steps are evaluated together before any is taken, but the sampler ${what}: `
        + `sampler=${sampler.name}. Use ddim(), ddpm() or euler(), or trajectory().`,
    );
  };
  let asked = 0;
  let drawn = 0;
  const output = await sampler.step<T>({
    x,
    from,
    to,
    index,
    levels,
    algebra,
    state: sampler.init<T>(),
    denoise: (at, level) => {
      if (asked++ > 0 || at !== x || level !== from) refuse('asks elsewhere than at the start of a step');
      return Promise.resolve(denoised);
    },
    detail: () => refuse('asks for more than the x0-prediction'),
    noise: async (interval = { from, to }) => {
      const draw = drawn++;
      const known = draws[draw];
      if (known !== undefined) return known;
      const z = await noise!.draw({ algebra, like: x, step: index, draw, interval });
      const remedy = 'Let the source return finite noise in the form of `like`.';
      checkState(algebra, `the noise of ${noise!.name} at step ${index + 1}`, { value: z, like: x, remedy });
      return (draws[draw] = z);
    },
  });
  if ((output.state?.history.length ?? 0) > 0) refuse('looks back on earlier steps');
  return output.x;
}
