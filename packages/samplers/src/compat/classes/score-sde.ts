import { CLEAN, defineSampler, type Sampler } from '@langevin/core';
import { integer, number } from '@langevin/tensor/fields';
import { eulerMaruyama } from '../../solvers/euler-maruyama.ts';
import { corrected, predictorCorrector } from '../../solvers/predictor-corrector.ts';
import { refuse } from '../check-call.ts';
import { MAX_STEPS } from '../config.ts';
import { torchLinspace } from '../float32.ts';
import { defineScheduler, type Context, type Schedule, type SchedulerClass, type TimestepsOptions } from '../scheduler-class.ts';
import { singleLevel, toX0 } from '../x0.ts';
import { sigmaLevelOf } from './sigma-space.ts';

const VE = 'ScoreSdeVeScheduler';
const { fround } = Math;
const positive = { above: 0 };

const veOptions = {
  num_train_timesteps: integer(2000, { atLeast: 2, atMost: MAX_STEPS }),
  snr: number(0.15, positive),
  sigma_min: number(0.01, positive),
  sigma_max: number(1348, positive),
  sampling_eps: number(1e-5, { atLeast: 0, atMost: 1 }),
  correct_steps: integer(1, { atLeast: 0, atMost: 1000 }),
} as const;

/**
 * Each level is met by correct_steps calls that stand for Python's step_correct, and one for step_pred, so that its timestep is in the list
 * as often. The last step returns the mean, as pipelines take it.
 */
export const scoreSdeVe: SchedulerClass = defineScheduler({
  name: VE,
  options: veOptions,
  unset: 'steps',
  timestepsOptions: ['numInferenceSteps', 'samplingEps'],
  stepOptions: ['generator', 'noise'],
  create:
    <T>({ config, algebra }: Context<typeof veOptions, T>) =>
    (request: TimestepsOptions = { numInferenceSteps: config.num_train_timesteps }): Schedule<T> => {
      if (config.sigma_min >= config.sigma_max)
        refuse(VE, `noise rises from sigma_min to sigma_max: sigma_min=${config.sigma_min}, sigma_max=${config.sigma_max}. Swap them.`);
      const steps = request.numInferenceSteps!;
      const calls = config.correct_steps + 1;
      const times = torchLinspace(1, request.samplingEps ?? config.sampling_eps, steps);
      const table = torchLinspace(Math.log(config.sigma_min), Math.log(config.sigma_max), steps).map(Math.exp);
      const place = (t: number): number => {
        if (!(t >= 0 && t <= 1)) refuse(VE, `times are in 0..1: t=${t}. Pass one of scheduler.timesteps.`);
        return Math.trunc(fround(t * (steps - 1)));
      };
      const timesteps = Array.from(times).flatMap((t) => Array.from({ length: calls }, () => t));
      const predictor = predictorCorrector({ correctorSteps: 0 });
      const corrector = langevinCorrector(config.snr);
      return {
        timesteps,
        sigmas: [...table, 0].sort((a, b) => b - a),
        initNoiseSigma: config.sigma_max,
        // A timestep that is met by several calls begins with the first of them.
        countFrom: (t) => {
          const first = timesteps.indexOf(t);
          return first >= 0 ? first : refuse(VE, `the timestep is not one of this run: t=${t}. Pass one of scheduler.timesteps.`);
        },
        move: ({ t, index }) => {
          const at = place(t);
          const from = sigmaLevelOf(table[at]!);
          if (index % calls < config.correct_steps) return { sampler: corrector, from, to: from };
          // The last step has the mean for its result and draws all the same.
          return { sampler: predictor, from, to: at === 0 ? CLEAN : sigmaLevelOf(table[at - 1]!), draws: 1 };
        },
        predict: ({ modelOutput, question }) => ({
          denoised: algebra.linear([1, question.x], [singleLevel(question.at).sigma ** 2, modelOutput]),
        }),
        noiseLevel: ({ t }) => sigmaLevelOf(table[place(t)]!),
      };
    },
});

/** The corrector alone: a Langevin step at its level, on the mean norms of the batch. */
function langevinCorrector(snr: number): Sampler {
  return defineSampler({
    name: 'langevin corrector',
    order: 1,
    stochastic: true,
    paper: 'arXiv:2011.13456, Algorithm 4',
    step: async (input) => {
      let denoised = input.x;
      const denoise: typeof input.denoise = async (x, at) => (denoised = await input.denoise(x, at));
      return { x: await corrected(input.x, { snr, norms: 'batch' }, { ...input, denoise }), denoised };
    },
  });
}

const vpOptions = {
  num_train_timesteps: integer(2000, { atLeast: 2, atMost: MAX_STEPS }),
  beta_min: number(0.1, positive),
  beta_max: number(20, positive),
  sampling_eps: number(1e-3, { atLeast: 0, atMost: 1 }),
} as const;

/** step stands for Python's step_pred; the last one returns the mean. */
export const scoreSdeVp: SchedulerClass = defineScheduler({
  name: 'ScoreSdeVpScheduler',
  options: vpOptions,
  stepOptions: ['generator', 'noise'],
  create:
    <T>({ config, algebra }: Context<typeof vpOptions, T>) =>
    (request?: TimestepsOptions): Schedule<T> => {
      const times = request === undefined ? [] : Array.from(torchLinspace(1, config.sampling_eps, request.numInferenceSteps!));
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
