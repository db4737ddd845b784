import type { NoiseLevel, Sampler } from '@langevin/core';
import { integer, number } from '@langevin/tensor/fields';
import type { ChurnOptions } from '../../churn.ts';
import { heun } from '../../solvers/heun.ts';
import { MAX_STEPS } from '../config.ts';
import { type Context, defineScheduler, type Schedule, type SchedulerClass, type TimestepsOptions } from '../scheduler-class.ts';
import { flowHeunSigmas, flowTable } from '../tables/flow-grid.ts';
import { flowLevel, flowPrediction } from './flow.ts';

const NAME = 'FlowMatchHeunDiscreteScheduler';

const flowMatchHeunOptions = {
  num_train_timesteps: integer(1000, { atLeast: 1, atMost: MAX_STEPS }),
  shift: number(1, { above: 0 }),
};

/**
 * FlowMatchHeunDiscreteScheduler: Heun's method over sigma itself, which is that over sigma / alpha with alpha taken as 1. Churn raises the
 * noise of a flow's state and leaves its signal, which is then too large, and the output is counted from the level before: kept, as
 * published.
 */
const flowMatchHeun = defineScheduler({
  name: NAME,
  order: 2,
  options: flowMatchHeunOptions,
  stepOptions: ['sChurn', 'sTMin', 'sTMax', 'sNoise', 'generator', 'noise'],
  create:
    <T>({ config, algebra }: Context<typeof flowMatchHeunOptions, T>) =>
    (request?: TimestepsOptions): Schedule<T> => {
      const train = config.num_train_timesteps;
      const steps = request?.numInferenceSteps;
      const single = steps === undefined ? flowTable({ ...config, use_dynamic_shifting: false }) : flowHeunSigmas(config, steps);
      // Every level but the first is looked at twice: at the end of one step and at the start of the next.
      const timesteps = [...single]
        .flatMap((sigma, i) => (i === 0 || steps === undefined ? [sigma] : [sigma, sigma]))
        .map((sigma) => Math.fround(sigma * train));
      const sigmas = steps === undefined ? [...single] : [...[...single].flatMap((sigma, i) => (i === 0 ? [sigma] : [sigma, sigma])), 0];
      return {
        timesteps,
        sigmas,
        initNoiseSigma: 1,
        move: ({ index, options: { sChurn = 0, sTMin = 0, sTMax = Infinity, sNoise = 1 } }) => {
          const from = unitLevel(sigmas[index]!);
          // Churn is shared among all entries of the doubled list.
          return {
            sampler: drawingTwice({ sChurn, sTMin, sTMax, sNoise }),
            from,
            to: unitLevel(sigmas[index + 1]!),
            levels: sigmas.map(unitLevel),
          };
        },
        predict: ({ modelOutput, question, call }) => ({
          denoised: flowPrediction(algebra, { x: question.x, modelOutput, sigma: sigmas[call.index]! }),
        }),
        noiseLevel: ({ index }) => flowLevel(sigmas[index]!),
      };
    },
});

const unitLevel = (sigma: number): NoiseLevel => ({ alpha: 1, sigma });

/** Heun's method which also draws noise for its second evaluation where it churns, as there: it cancels, but streams have to agree. */
function drawingTwice(options: ChurnOptions): Sampler {
  const own = heun(options);
  return {
    ...own,
    step: (input) => {
      let [draws, evaluations] = [0, 0];
      const noise: typeof input.noise = (interval) => {
        draws++;
        return input.noise(interval);
      };
      const denoise: typeof input.denoise = async (x, at) => {
        const denoised = await input.denoise(x, at);
        if (evaluations++ === 1 && draws > 0) await noise();
        return denoised;
      };
      return own.step({ ...input, noise, denoise });
    },
  };
}

export const flowHeunClasses: readonly SchedulerClass[] = [flowMatchHeun];
