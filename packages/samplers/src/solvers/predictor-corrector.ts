import { defineSampler, type Sampler, type StepInput } from '@langevin/core';
import { checkNumber, readOptions, UserError } from '@langevin/tensor';
import { checkChoice } from '../check-option.ts';
import { langevinStep, reverseStep } from '../maths/reverse-sde.ts';

const NORMS = ['image', 'batch'] as const;

export interface PredictorCorrectorOptions {
  /** Signal-to-noise ratio of a corrector's step, > 0. @default 0.16, the paper's for VE on CIFAR-10 */
  readonly snr?: number;
  /** Langevin steps at each level, >= 0; each is an evaluation more. @default 1 */
  readonly correctorSteps?: number;
  /**
   * Norms of each image, or their means over the batch as in the reference and in diffusers.
   * @default 'image', so that an image does not depend on its neighbours
   */
  readonly norms?: (typeof NORMS)[number];
}

/**
 * Predictor and corrector (Song et al. 2021, arXiv:2011.13456, Algorithms 2 to 5): annealed Langevin steps at each level, of size
 * 2 a (snr |z| / |score|)^2, then a step of the reverse-diffusion predictor. Norms are each image's own, where the reference takes their
 * mean over the batch, so that an image does not depend on its neighbours. a is the forward kernel's squared factor over the step to come,
 * 1 at alpha = 1.
 *
 * @throws UserError for options out of range, and at alpha = 0
 * @example
 * let calls = 0;
 * const denoise = defineDenoiser({ nfe: 1, denoise: (x: Float64Array) => (calls++, x.map(() => 0.5)) });
 * await sample({
 *   sampler: predictorCorrector({ correctorSteps: 2 }),
 *   denoise,
 *   x: Float64Array.of(10),
 *   levels: [10, 1, 0.1].map(sigmaLevel),
 *   noise: imageNoise({ seed: 0 }),
 * });
 * calls; // => 6
 */
export function predictorCorrector(options: PredictorCorrectorOptions = {}): Sampler {
  const { snr = 0.16, correctorSteps = 1, norms = 'image' } = readOptions('samplers/predictor-corrector', options);
  checkNumber('samplers/predictor-corrector', { snr }, { above: 0, advice: 'Pass a number > 0; the paper uses 0.16.' });
  checkNumber(
    'samplers/predictor-corrector',
    { correctorSteps },
    { atLeast: 0, kind: 'integer', advice: 'Pass an integer >= 0; the paper uses 1.' },
  );
  checkChoice('predictor-corrector', { norms }, NORMS);
  return defineSampler({
    name: 'predictor-corrector',
    order: 1,
    stochastic: true,
    paper: 'arXiv:2011.13456, Algorithms 2 to 5',
    step: async (input) => {
      const { from, to, denoise, noise, algebra } = input;
      if (from.alpha === 0)
        throw new UserError(
          '[samplers/predictor-corrector] the drift of the reverse SDE is infinite at alpha = 0: from.alpha=0. Start at a level '
            + 'with some signal, or use ddpm().',
        );
      let { x } = input;
      for (let i = 0; i < correctorSteps; i++) x = await corrected(x, { snr, norms }, input);
      const denoised = await denoise(x, from);
      if (to.sigma === 0) return { x: algebra.linear([to.alpha, denoised]), denoised };
      const step = reverseStep('reverse-diffusion', { from, to });
      return { x: algebra.linear([step.x, x], [step.denoised, denoised], [step.noise, await noise()]), denoised };
    },
  });
}

/** A Langevin step at the level that it begins at. */
export async function corrected<T>(
  x: T,
  { snr, norms }: Required<Pick<PredictorCorrectorOptions, 'snr' | 'norms'>>,
  { from, to, denoise, noise, algebra }: StepInput<T>,
): Promise<T> {
  const denoised = await denoise(x, from);
  const z = await noise({ from, to: from });
  const plain = { absolute: 1, relative: 0, of: [] };
  const direction = algebra.linear([from.alpha, denoised], [-1, x]);
  await algebra.realize([direction, z]);
  const [ofNoise, ofScore] = [await algebra.scaledRms(z, plain), await algebra.scaledRms(direction, plain)].map((sizes) =>
    norms === 'batch' ? meanOfAll(sizes) : sizes,
  ) as [readonly number[], readonly number[]];
  const factor = (from.alpha / to.alpha) ** 2;
  // Where the score is zero there is nowhere to go.
  const steps = ofNoise.map((size, i) =>
    langevinStep(from, ofScore[i] === 0 ? 0 : 2 * factor * ((snr * size * from.sigma ** 2) / ofScore[i]!) ** 2),
  );
  return algebra.linear([1, x], [steps.map((step) => step.pull), direction], [steps.map((step) => step.noise), z]);
}

/** The mean, once for each. */
function meanOfAll(values: readonly number[]): readonly number[] {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return values.map(() => mean);
}
