import { integer, number } from '@langevin/tensor/fields';
import { consistency } from '../../solvers/consistency.ts';
import { MAX_STEPS, on } from '../config.ts';
import { type Context, defineScheduler, type Schedule, type SchedulerClass, type TimestepsOptions } from '../scheduler-class.ts';
import { consistencyGrid } from '../tables/few-step-grid.ts';

const NAME = 'CMStochasticIterativeScheduler';

const consistencyModelsOptions = {
  num_train_timesteps: integer(40, { atLeast: 2, atMost: MAX_STEPS }),
  sigma_min: number(0.002, { above: 0 }),
  sigma_max: number(80, { above: 0 }),
  sigma_data: number(0.5, { above: 0 }),
  s_noise: number(1, { above: 0 }),
  rho: number(7, { above: 0 }),
  clip_denoised: on,
};

/** CMStochasticIterativeScheduler: multistep sampling of consistency models (Song et al. 2023, arXiv:2303.01469). */
const consistencyModels = defineScheduler({
  name: NAME,
  options: consistencyModelsOptions,
  unset: 'steps',
  timestepsOptions: ['numInferenceSteps', 'timesteps'],
  stepOptions: ['generator', 'noise'],
  create: <T>({ config, algebra }: Context<typeof consistencyModelsOptions, T>) => {
    const { sigma_min, sigma_max, sigma_data, s_noise, clip_denoised } = config;
    const sampler = consistency({ sigmaMin: sigma_min, sNoise: s_noise });
    const exact = (sigma: number): number => (sigma === Math.fround(sigma_min) ? sigma_min : sigma);
    return (request?: TimestepsOptions): Schedule<T> => {
      const { timesteps, sigmas } = consistencyGrid(NAME, config, request ?? { numInferenceSteps: config.num_train_timesteps });
      const level = (sigma: number) => ({ alpha: 1, sigma: exact(sigma) });
      return {
        timesteps,
        sigmas,
        initNoiseSigma: sigma_max,
        inputScale: ({ index }) => 1 / Math.hypot(sigmas[index]!, sigma_data),
        move: ({ index }) => ({
          sampler,
          from: level(sigmas[index]!),
          to: level(Math.min(Math.max(exact(sigmas[index + 1]!), sigma_min), sigma_max)),
          draws: timesteps.length > 1 ? 1 : 0,
        }),
        // Boundary condition: c_skip = 1 and c_out = 0 at sigma_min (eq. 5 with the scalings of appendix C).
        predict: ({ modelOutput, question, call }) => {
          const sigma = exact(sigmas[call.index]!);
          const above = sigma - sigma_min;
          const denoised = algebra.linear(
            [(above * sigma_data) / Math.hypot(sigma, sigma_data), modelOutput],
            [sigma_data ** 2 / (above ** 2 + sigma_data ** 2), question.x],
          );
          return { denoised: clip_denoised ? algebra.clamp(denoised, 1) : denoised };
        },
        noiseLevel: ({ index }) => ({ alpha: 1, sigma: sigmas[index]! }),
      };
    };
  },
});

export const consistencyModelClasses: readonly SchedulerClass[] = [consistencyModels];
