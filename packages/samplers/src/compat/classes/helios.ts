import type { NoiseLevel } from '@langevin/core';
import { UnsupportedError, UserError } from '@langevin/tensor';
import { integer, list, number, oneOf } from '@langevin/tensor/fields';
import { euler } from '../../solvers/euler.ts';
import { lcm } from '../../solvers/lcm.ts';
import { unipc } from '../../solvers/unipc.ts';
import { MAX_STEPS, off, on } from '../config.ts';
import { type Context, defineScheduler, type Schedule, type SchedulerClass, type TimestepsOptions } from '../scheduler-class.ts';
import { heliosGrid, heliosStart } from '../tables/helios-grid.ts';
import { predictionOption, singleLevel } from '../x0.ts';
import { flowLevel, flowPrediction } from './flow.ts';
import { refusedPredictor } from './refused.ts';
import { lambdaLevel, refuseFlowOfNoise, x0Of } from './lambda.ts';
import { aliased } from './remapped.ts';

const NAME = 'HeliosScheduler';
const DMD = 'HeliosDMDScheduler';

/** More would leave nothing of a picture at the first of them. */
const MAX_STAGES = 16;

const shared = {
  num_train_timesteps: integer(1000, { atLeast: 2, atMost: MAX_STEPS }),
  shift: number(1, { above: 0 }),
  stages: integer(3, { atLeast: 1, atMost: MAX_STAGES }),
  stage_range: list([0, 1 / 3, 2 / 3, 1], number(0, { atLeast: 0, atMost: 1 }), { atMost: MAX_STAGES + 1 }),
  gamma: number(1 / 3, { above: 0 }),
  use_flow_sigmas: on,
  use_dynamic_shifting: off,
};

const heliosOptions = {
  ...shared,
  ...predictionOption(['epsilon', 'sample', 'v_prediction', 'flow_prediction'], 'flow_prediction'),
  time_shift_type: oneOf('exponential', ['exponential', 'linear']),
  thresholding: off,
  solver_order: integer(2, { atLeast: 1, atMost: 3 }),
  predict_x0: on,
  solver_type: aliased('bh2', ['bh1', 'bh2'], ['midpoint', 'heun', 'logrho']),
  lower_order_final: on,
  disable_corrector: list([], integer(0, { atLeast: 0, atMost: MAX_STEPS }), { atMost: MAX_STEPS }),
  solver_p: refusedPredictor(NAME),
  scheduler_type: oneOf('unipc', ['unipc', 'euler', 'dmd']),
};

/** HeliosScheduler: one stage of a pyramid of videos by UniPC or Euler steps. */
const helios = defineScheduler({
  name: NAME,
  options: heliosOptions,
  unset: 'steps',
  timestepsOptions: ['numInferenceSteps', 'stageIndex', 'sigmas', 'mu', 'isAmplifyFirstChunk'],
  create: <T>({ config, algebra }: Context<typeof heliosOptions, T>) => {
    const { scheduler_type, solver_order: order, solver_type, predict_x0, prediction_type, use_flow_sigmas } = config;
    const fail = (what: string): never => {
      throw new UserError(`[samplers/compat] ${NAME}: ${what}`);
    };
    if (config.thresholding) fail('there is no thresholding: thresholding=true. Set it to false.');
    if (scheduler_type === 'dmd')
      throw new UnsupportedError(`[samplers/compat] ${NAME}: there is no step of this type: scheduler_type="dmd". Take ${DMD}.`);
    const isUnipc = scheduler_type === 'unipc';
    if (isUnipc && !predict_x0) refuseFlowOfNoise(NAME, 'predict_x0=false', prediction_type);
    if (isUnipc && !use_flow_sigmas && (!predict_x0 || solver_type === 'bh1'))
      fail(
        `the step to sigma = 0 has no rule: use_flow_sigmas=false, predict_x0=${predict_x0}, solver_type="${solver_type}". Set `
          + 'use_flow_sigmas and predict_x0 to true and solver_type to "bh2".',
      );
    if (isUnipc && use_flow_sigmas && config.stages === 1)
      fail(
        'with one stage a run begins at sigma = 1, where lambda is infinite and UniPC has no rule: stages=1, '
          + 'scheduler_type="unipc". Set scheduler_type to "euler", or take UniPCMultistepScheduler with use_flow_sigmas, which begins '
          + 'below 1.',
      );
    const sampler = isUnipc
      ? unipc({
          order: order as 1 | 2 | 3,
          variant: solver_type,
          prediction: predict_x0 ? 'x0' : 'epsilon',
          lowerOrderFinal: config.lower_order_final ? 'always' : 'clean',
          corrector: { except: config.disable_corrector },
        })
      : euler();
    // As there, the clean end keeps a trace of noise, so that lambda is finite.
    const tracedLevel = (sigma: number): NoiseLevel => ({ alpha: 1 - sigma, sigma: Math.max(sigma, 1e-8) });
    const levelOf = !isUnipc ? flowLevel : use_flow_sigmas ? tracedLevel : lambdaLevel('chain');
    return (request?: TimestepsOptions): Schedule<T> => {
      const { timesteps, sigmas } =
        request === undefined ? heliosStart(config) : heliosGrid(NAME, config, { ...request, lastLevel: 'kept' });
      const levels: readonly NoiseLevel[] = sigmas.map(levelOf);
      return {
        timesteps,
        sigmas,
        initNoiseSigma: 1,
        // Places are counted, not looked up.
        missing: 'last',
        move: ({ index }) => {
          if (isUnipc && request === undefined)
            fail('the run has no timesteps yet: setTimesteps was not called. Call it first, as in Python.');
          return { sampler, from: levels[index]!, to: levels[index + 1]!, index, levels };
        },
        predict: ({ modelOutput, question, call }) => ({
          denoised: x0Of(algebra, {
            prediction: isUnipc ? prediction_type : 'flow_prediction',
            x: question.x,
            modelOutput,
            at: singleLevel(question.at),
            sigma: sigmas[call.index]!,
          }),
        }),
      };
    };
  },
});

const heliosDmdOptions = {
  ...shared,
  prediction_type: oneOf('flow_prediction', ['flow_prediction']),
  time_shift_type: oneOf('linear', ['exponential', 'linear']),
};

/** HeliosDMDScheduler: x0, then noise to the next timestep; both levels are looked up in tables that the pipeline passes. */
const heliosDmd = defineScheduler({
  name: DMD,
  options: heliosDmdOptions,
  unset: 'steps',
  timestepsOptions: ['numInferenceSteps', 'stageIndex', 'sigmas', 'mu', 'isAmplifyFirstChunk'],
  stepOptions: ['curSamplingStep', 'dmdNoisyTensor', 'dmdSigmas', 'dmdTimesteps', 'allTimesteps'],
  create:
    <T>({ config, algebra }: Context<typeof heliosDmdOptions, T>) =>
    (request?: TimestepsOptions): Schedule<T> => {
      const { timesteps, sigmas } =
        request === undefined ? heliosStart(config) : heliosGrid(DMD, config, { ...request, lastLevel: 'dropped' });
      return {
        timesteps,
        sigmas,
        initNoiseSigma: 1,
        missing: 'by-timestep',
        move: ({ t, options: { curSamplingStep = 0, dmdSigmas, dmdTimesteps, dmdNoisyTensor, allTimesteps } }) => {
          if (
            dmdSigmas === undefined
            || dmdTimesteps === undefined
            || allTimesteps === undefined
            || dmdSigmas.length < dmdTimesteps.length
          ) {
            throw new UserError(
              `[samplers/compat] ${DMD}: levels are looked up in the tables of the step: dmdSigmas, dmdTimesteps and allTimesteps. `
                + 'Pass all three, with as many sigmas as timesteps.',
            );
          }
          // Times are cut to whole ones before they are looked up.
          const level = (time: number): NoiseLevel => flowLevel(dmdSigmas[nearest(dmdTimesteps, Math.trunc(time))]!);
          const next = allTimesteps[curSamplingStep + 1];
          if (next !== undefined && dmdNoisyTensor === undefined)
            throw new UserError(
              `[samplers/compat] ${DMD}: all steps but the last are noised again: curSamplingStep=${curSamplingStep}, `
                + 'dmdNoisyTensor=undefined. Pass the noise.',
            );
          return { sampler: lcm(), from: level(t), to: next === undefined ? { alpha: 1, sigma: 0 } : level(next) };
        },
        predict: ({ modelOutput, question }) => ({
          denoised: flowPrediction(algebra, { x: question.x, modelOutput, sigma: singleLevel(question.at).sigma }),
        }),
        noiseFrom: ({ options: { dmdNoisyTensor } }) =>
          dmdNoisyTensor === undefined ? undefined : { name: 'given', draw: <S>() => Promise.resolve(dmdNoisyTensor as unknown as S) },
      };
    },
});

function nearest(times: readonly number[], t: number): number {
  return times.reduce((best, each, i) => (Math.abs(each - t) < Math.abs(times[best]! - t) ? i : best), 0);
}

export const heliosClasses: readonly SchedulerClass[] = [helios, heliosDmd];
