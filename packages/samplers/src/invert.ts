import { relativeSigma, type NoiseLevel } from '@langevin/core-schedules';
import { UserError } from '@langevin/tensor';
import { evaluations } from './evaluations.ts';
import { checkEnd, watchesSteps } from './finite.ts';
import type { Sampler } from './sampler.ts';
import { ddim } from './solvers/ddim.ts';
import { plainAlgebra, type TrajectoryOptions } from './trajectory.ts';

export interface InvertOptions<T> extends Pick<TrajectoryOptions<T>, 'denoise' | 'x' | 'algebra' | 'signal' | 'finite'> {
  /**
   * Noise levels, sigma / alpha strictly increasing; the first has some noise. The levels of a run without its clean end, reversed, lead
   * back where it began.
   */
  readonly levels: readonly NoiseLevel[];
  /** A deterministic sampler without adaptive steps. @default ddim() */
  readonly sampler?: Sampler;
}

/**
 * Follows the probability-flow ODE from data to noise, with the steps of a sampler taken upwards: DDIM inversion (Song et al. 2021,
 * arXiv:2010.02502, section 4.3; Dhariwal and Nichol 2021, arXiv:2105.05233, appendix F). Sampling from the result gives the image back, up
 * to the error of the method: of N DDIM steps, O(1 / N).
 *
 * @returns the state at the last level
 * @throws UserError for levels that do not rise, for a clean first level, where no noise can be told from data, and for stochastic samplers
 * @example
 * const denoise = mixture([{ mean: [-1], std: 0.1 }, { mean: [1], std: 0.1 }]).denoiser<Float64Array>(); // stands for a network
 * const levels = uniformLambda().levels(vpLinear(), { steps: 50, end: 'floor' });
 * const noise = await invert({ denoise, x: Float64Array.of(0.9), levels: levels.toReversed() });
 * const again = await sample({ sampler: ddim(), denoise, x: noise, levels });
 * again; // => [0.9]
 */
export async function invert<T>({ denoise, levels, algebra: given, signal, sampler = ddim(), ...options }: InvertOptions<T>): Promise<T> {
  checkRising(levels);
  if (sampler.stochastic)
    throw new UserError(
      `[samplers/invert] a stochastic sampler has no inverse: sampler=${sampler.name}. Pass options that make it deterministic, or ddim().`,
    );
  const algebra = given ?? plainAlgebra(options.x);
  const watched = watchesSteps(options.finite, algebra);
  const steps = levels.length - 1;
  let { x } = options;
  let state = sampler.init<T>();
  for (let index = 0; index < steps; index++) {
    const here = `step ${index + 1} of ${steps} of ${sampler.name} towards noise`;
    const asking = evaluations({ sampler, denoise, algebra, signal, here, watched, count: () => undefined });
    const noise = (): Promise<T> =>
      Promise.reject(
        new UserError(`[samplers/${sampler.name}] a sampler that declares stochastic: false drew noise at ${here}. Declare it stochastic.`),
      );
    const output = await sampler.step<T>({
      x,
      from: levels[index]!,
      to: levels[index + 1]!,
      index,
      levels,
      algebra,
      state,
      ...asking,
      noise,
    });
    state = output.state ?? state;
    await algebra.realize([output.x, ...state.history.flatMap((seen) => [seen.x, seen.denoised]), ...Object.values(state.values)]);
    ({ x } = output);
    if (index + 1 === steps) await checkEnd(algebra, x, { here, watched });
  }
  return x;
}

function checkRising(levels: readonly NoiseLevel[]): void {
  if (levels.length < 2)
    throw new UserError(`[samplers/invert] a run leads from one level to another: levels.length=${levels.length}. Pass at least 2.`);
  const sigmas = levels.map(relativeSigma);
  if (!(sigmas[0]! > 0))
    throw new UserError(
      `[samplers/invert] at a clean level no noise can be told from data: levels[0] has sigma / alpha = ${sigmas[0]}. Start at a `
        + 'small sigma, and take the image for the state there.',
    );
  sigmas.forEach((sigma, i) => {
    if (i > 0 && !(sigma > sigmas[i - 1]!))
      throw new UserError(
        `[samplers/invert] sigma / alpha must be strictly increasing: levels[${i - 1}] has ${sigmas[i - 1]}, levels[${i}] has `
          + `${sigma}. Reverse the levels of a run.`,
      );
  });
}
