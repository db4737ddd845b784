import { CLEAN } from '@langevin/core-schedules';
import { eulerMaruyama } from '../../solvers/euler-maruyama.ts';
import { predictorCorrector } from '../../solvers/predictor-corrector.ts';
import { integer, MAX_STEPS, number } from '../config.ts';
import { torchLinspace } from '../float32.ts';
import { defineScheduler, type Context, type Schedule, type SchedulerClass, type TimestepsOptions } from '../scheduler-class.ts';
import { singleLevel, toX0 } from '../x0.ts';
import { sigmaLevelOf } from './sigma-space.ts';

const { fround } = Math;
const positive = { min: Number.MIN_VALUE };

const veOptions = {
  num_train_timesteps: integer(2000, { min: 2, max: MAX_STEPS }),
  snr: number(0.15, positive),
  sigma_min: number(0.01, positive),
  sigma_max: number(1348, positive),
  sampling_eps: number(1e-5, { min: 0, max: 1 }),
  correct_steps: integer(1, { min: 0, max: 1000 }),
} as const;

/**
 * Each level is met by correct_steps calls that stand for Python's step_correct, and one for step_pred, so that its timestep is in the list
 * as often. The last step returns the mean, as pipelines take it.
 */
export const scoreSdeVe: SchedulerClass = defineScheduler({
  name: 'ScoreSdeVeScheduler',
  options: veOptions,
  timestepsOptions: ['numInferenceSteps', 'samplingEps'],
  stepOptions: ['generator', 'noise'],
  create:
    <T>({ config, algebra }: Context<typeof veOptions, T>) =>
    (request: TimestepsOptions = { numInferenceSteps: config.num_train_timesteps }): Schedule<T> => {
      const steps = request.numInferenceSteps!;
      const calls = config.correct_steps + 1;
      const times = torchLinspace(1, request.samplingEps ?? config.sampling_eps, steps);
      const table = torchLinspace(Math.log(config.sigma_min), Math.log(config.sigma_max), steps).map(Math.exp);
      const place = (t: number): number => Math.trunc(fround(t * (steps - 1)));
      const sampler = predictorCorrector({ snr: config.snr, correctorSteps: config.correct_steps, norms: 'batch' });
      return {
        timesteps: Array.from(times).flatMap((t) => Array.from({ length: calls }, () => t)),
        sigmas: [...table, 0].sort((a, b) => b - a),
        initNoiseSigma: config.sigma_max,
        missing: 'by-timestep',
        move: ({ t }) => {
          const at = place(t);
          return { sampler, from: sigmaLevelOf(table[at]!), to: at === 0 ? CLEAN : sigmaLevelOf(table[at - 1]!) };
        },
        predict: ({ modelOutput, question }) => ({
          denoised: algebra.linear([1, question.x], [singleLevel(question.at).sigma ** 2, modelOutput]),
        }),
        noiseLevel: ({ t }) => sigmaLevelOf(table[place(t)]!),
      };
    },
});

const vpOptions = {
  num_train_timesteps: integer(2000, { min: 2, max: MAX_STEPS }),
  beta_min: number(0.1, positive),
  beta_max: number(20, positive),
  sampling_eps: number(1e-3, { min: 0, max: 1 }),
} as const;

/** step stands for Python's step_pred; the last one returns the mean. */
export const scoreSdeVp: SchedulerClass = defineScheduler({
  name: 'ScoreSdeVpScheduler',
  options: vpOptions,
  stepOptions: ['generator', 'noise'],
  create:
    <T>({ config, algebra }: Context<typeof vpOptions, T>) =>
    (request: TimestepsOptions = { numInferenceSteps: config.num_train_timesteps }): Schedule<T> => {
      const times = Array.from(torchLinspace(1, config.sampling_eps, request.numInferenceSteps!));
      const { beta_min: min, beta_max: max } = config;
      const levelAt = ({ t }: { readonly t: number }) => {
        const log = -0.25 * t * t * (max - min) - 0.5 * t * min;
        return { alpha: Math.exp(log), sigma: Math.sqrt(-Math.expm1(2 * log)) };
      };
      return {
        timesteps: times,
        sigmas: [],
        initNoiseSigma: 1,
        move: ({ t, index }) => {
          // Upstream steps time by 1 / n whatever the timesteps are.
          const added = (min + t * (max - min)) / times.length;
          const from = levelAt({ t });
          return { sampler: eulerMaruyama({ rates: { growth: added / 2, added } }), from, to: from, silent: index === times.length - 1 };
        },
        predict: ({ modelOutput, question }) => ({
          denoised: toX0({ algebra, prediction: 'epsilon', x: question.x, modelOutput, at: singleLevel(question.at) }),
        }),
      };
    },
});
