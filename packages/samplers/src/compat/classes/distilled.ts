import { CLEAN, type NoiseLevel } from '@langevin/core';
import { UserError } from '@langevin/tensor';
import { integer, number } from '@langevin/tensor/fields';
import { lcm } from '../../solvers/lcm.ts';
import { tcd } from '../../solvers/tcd.ts';
import { alphaBarsOf, betaOptions, zeroSnrOption } from '../betas.ts';
import { MAX_STEPS, off, on } from '../config.ts';
import { type Context, defineScheduler, type Schedule, type SchedulerClass, type TimestepsOptions } from '../scheduler-class.ts';
import { distilledTimesteps } from '../tables/few-step-grid.ts';
import { clipOptions, limited, predictionOption, singleLevel, thresholdingOptions, toX0 } from '../x0.ts';
import { barAt, spacingOptions, wholeChain } from './chain.ts';

/** The keys of both; TCD carries clipping and thresholding, and both the spacing, without a use for them. */
const options = {
  ...betaOptions({ start: 0.00085, end: 0.012, schedule: 'scaled_linear' }),
  ...zeroSnrOption,
  ...clipOptions(off),
  ...thresholdingOptions,
  ...predictionOption(['epsilon', 'sample', 'v_prediction'], 'epsilon'),
  ...spacingOptions('leading'),
  set_alpha_to_one: on,
  original_inference_steps: integer(50, { atLeast: 1, atMost: MAX_STEPS }),
  timestep_scaling: number(10, { above: 0 }),
};

const timestepsOptions = ['numInferenceSteps', 'originalInferenceSteps', 'timesteps', 'strength'] as const;

/** c_skip and c_out are made for data of this deviation. */
const SIGMA_DATA = 0.5;

const levelsOf =
  (name: string, alphaBars: Float32Array) =>
  (t: number): NoiseLevel => {
    const bar = barAt(name, alphaBars, t);
    return { alpha: Math.sqrt(bar), sigma: Math.sqrt(1 - bar) };
  };

/** LCMScheduler: latent consistency models (Luo et al. 2023, arXiv:2310.04378). */
const lcmScheduler = defineScheduler({
  name: 'LCMScheduler',
  options,
  timestepsOptions,
  stepOptions: ['generator', 'noise'],
  create: <T>({ config, algebra }: Context<typeof options, T>) => {
    const level = levelsOf('LCMScheduler', alphaBarsOf(config));
    return (request?: TimestepsOptions): Schedule<T> => {
      const { timesteps, count } =
        request === undefined
          ? { timesteps: wholeChain(config.num_train_timesteps), count: config.num_train_timesteps }
          : distilledTimesteps('LCMScheduler', config, request);
      return {
        timesteps,
        sigmas: [],
        initNoiseSigma: 1,
        // The last of as many steps as were asked for ends clean; where strength has cut custom timesteps, that one never comes.
        move: ({ t, index }) => ({ sampler: lcm(), from: level(t), to: index === count - 1 ? CLEAN : level(timesteps[index + 1] ?? t) }),
        predict: async ({ modelOutput, question, call: { t } }) => {
          const scaled = t * config.timestep_scaling;
          const x0 = await limited(
            algebra,
            toX0({ algebra, prediction: config.prediction_type, x: question.x, modelOutput, at: singleLevel(question.at) }),
            config,
          );
          return {
            denoised: algebra.linear(
              [scaled / Math.hypot(scaled, SIGMA_DATA), x0],
              [SIGMA_DATA ** 2 / (scaled ** 2 + SIGMA_DATA ** 2), question.x],
            ),
          };
        },
        noiseLevel: ({ t }) => level(t),
        velocityLevel: ({ t }) => level(t),
      };
    };
  },
});

/** TCDScheduler: trajectory consistency distillation (Zheng et al. 2024, arXiv:2402.19159). */
const tcdScheduler = defineScheduler({
  name: 'TCDScheduler',
  options,
  timestepsOptions,
  stepOptions: ['eta', 'generator', 'noise'],
  create: <T>({ config, algebra }: Context<typeof options, T>) => {
    const level = levelsOf('TCDScheduler', alphaBarsOf(config));
    return (request?: TimestepsOptions): Schedule<T> => {
      const { timesteps, count } =
        request === undefined
          ? { timesteps: wholeChain(config.num_train_timesteps), count: config.num_train_timesteps }
          : distilledTimesteps('TCDScheduler', config, { ...request, fine: true });
      return {
        timesteps,
        sigmas: [],
        initNoiseSigma: 1,
        move: ({ t, index, options: { eta = 0.3 } }) => {
          if (!(eta >= 0 && eta <= 1))
            throw new UserError(`[samplers/compat] TCDScheduler: eta is a share: eta=${eta}. Pass a number in 0..1.`);
          const next = timesteps[index + 1] ?? 0;
          const landing = level(Math.floor(Math.fround(Math.fround(1 - eta) * next)));
          const from = level(t);
          // The last step is the jump alone.
          if (eta === 0 || index === count - 1) return { sampler: tcd({ eta: 0 }), from, to: landing };
          return { sampler: tcd({ eta, process: { time: () => next, level: () => landing } }), from, to: level(next) };
        },
        predict: ({ modelOutput, question }) => ({
          denoised: toX0({ algebra, prediction: config.prediction_type, x: question.x, modelOutput, at: singleLevel(question.at) }),
        }),
        noiseLevel: ({ t }) => level(t),
        velocityLevel: ({ t }) => level(t),
      };
    };
  },
});

export const distilledClasses: readonly SchedulerClass[] = [lcmScheduler, tcdScheduler];
