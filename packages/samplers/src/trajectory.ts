import type { Algebra, RunOptions, RunStep } from '@langevin/core';
import { arrayAlgebra } from '@langevin/core-schedules';
import { checkNumber, shownValue, UserError } from '@langevin/tensor';
import { isObject } from './check-option.ts';
import { checkNoise, checkResume, checkRun, checkState } from './check-run.ts';
import { watchesSteps } from './finite.ts';
import { checkLevels } from './levels.ts';
import { takeStep } from './take-step.ts';

/**
 * Runs a sampler over noise levels and yields after every step. Progress bars, previews and early stops are the business of
 * the loop that consumes it. It is the {@link Run} to pass to what receives one.
 *
 * @throws UserError for levels that are no grid, for a stochastic sampler without noise, and when the denoiser returns another
 *   shape, or NaN or Infinity: the step is named, over tensors with `finite: 'steps'`
 * @example
 * const denoise = mixture([
 *   { mean: [-1], std: 0.1 },
 *   { mean: [1], std: 0.1 },
 * ]).denoiser<Float64Array>(); // stands for a network
 * const levels = sigmaLevels(karrasSigmas({ steps: 18 }));
 * for await (const { step, steps, denoised } of trajectory({ sampler: heun(), denoise, x: Float64Array.of(80), levels }))
 *   console.log(step, steps, denoised);
 */
export async function* trajectory<T>(options: RunOptions<T>): AsyncGenerator<RunStep<T>, void, undefined> {
  const { sampler, denoise, levels, noise, signal, resume, startAt = 0 } = checkRun(options);
  checkLevels(levels);
  const algebra = options.algebra ?? plainAlgebra(options.x);
  const watched = watchesSteps(options.finite, algebra);
  const steps = levels.length - 1;
  checkNoise(sampler, noise);
  checkNumber('samplers/trajectory', { startAt }, { atLeast: 0, atMost: steps, kind: 'integer' });
  if (resume === undefined) checkState(algebra, 'x', { value: options.x, like: options.x, remedy: 'Pass what startState() gives.' });
  else checkResume(algebra, resume, steps);
  let { step: index, x, nfe, state } = resume ?? { step: startAt, x: options.x, nfe: 0, state: sampler.init<T>() };
  const count = (evaluated: number): void => void (nfe += evaluated);
  for (; index < steps; index++) {
    const output = await takeStep({ sampler, denoise, algebra, levels, noise, signal, watched, count, index, x, state });
    ({ x, state } = output);
    yield { step: index + 1, steps, x, denoised: output.denoised, at: levels[index + 1]!, nfe, state };
  }
}

/**
 * Runs a sampler to the end and returns the last state. See {@link trajectory} for options and errors.
 *
 * @example
 * const denoise = mixture([{ mean: [-1], std: 0.1 }, { mean: [1], std: 0.1 }]).denoiser<Float64Array>(); // stands for a network
 * const image = await sample({ sampler: heun(), denoise, x: Float64Array.of(80), levels: sigmaLevels(karrasSigmas({ steps: 18 })) });
 * Math.abs(image[0]! - 1) < 0.3; // => true
 */
export async function sample<T>(options: RunOptions<T>): Promise<T> {
  let last: T | undefined;
  for await (const step of trajectory(options)) last = step.x;
  // A run that is resumed at its end takes no step.
  return last ?? (options.resume ?? options).x;
}

/** The algebra of plain arrays, for callers who gave none. */
export function plainAlgebra<T>(x: T): Algebra<T> {
  if (x instanceof Float32Array || x instanceof Float64Array) return arrayAlgebra() as unknown as Algebra<T>;
  if (!isObject(x) || Array.isArray(x))
    throw new UserError(`[samplers/trajectory] x is no state: x=${shownValue(x)}. Pass what startState() gives.`);
  throw new UserError(
    '[samplers/trajectory] a state that is no plain array needs an algebra: algebra=undefined. Pass algebra: tensorAlgebra() for tensors.',
  );
}
