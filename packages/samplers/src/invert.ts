import { type NoiseLevel, relativeSigma, type RunOptions, type Sampler } from '@langevin/core';
import { readOptions, UserError } from '@langevin/tensor';
import { checkRun, checkState } from './check-run.ts';
import { watchesSteps } from './finite.ts';
import { checkLevelList } from './levels.ts';
import { ddim } from './solvers/ddim.ts';
import { takeStep } from './take-step.ts';
import { plainAlgebra } from './trajectory.ts';

export interface InvertOptions<T> extends Pick<RunOptions<T>, 'denoise' | 'x' | 'algebra' | 'signal' | 'finite'> {
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
export async function invert<T>(given: InvertOptions<T>): Promise<T> {
  const options = checkRun({ sampler: ddim(), ...readOptions('samplers/invert', given) });
  const { denoise, levels, signal, sampler } = options;
  checkRising(levels);
  if (sampler.stochastic)
    throw new UserError(
      `[samplers/invert] a stochastic sampler has no inverse: sampler=${sampler.name}. Pass options that make it deterministic, or ddim().`,
    );
  const algebra = options.algebra ?? plainAlgebra(options.x);
  checkState(algebra, 'x', { value: options.x, like: options.x, remedy: 'Pass the image, as a state of the first level.' });
  const fixed = { sampler, denoise, algebra, levels, signal, noise: undefined, direction: ' towards noise' };
  const watched = watchesSteps(options.finite, algebra);
  let { x } = options;
  let state = sampler.init<T>();
  for (let index = 0; index + 1 < levels.length; index++)
    ({ x, state } = await takeStep({ ...fixed, watched, count: () => undefined, index, x, state }));
  return x;
}

function checkRising(levels: unknown): asserts levels is readonly NoiseLevel[] {
  checkLevelList('invert', levels);
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
