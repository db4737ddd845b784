import { UnsupportedError } from '@langevin/tensor';
import { flowHeun } from '../../solvers/flow-heun.ts';
import { integer, MAX_STEPS, number } from '../config.ts';
import { type Context, defineScheduler, type Schedule, type SchedulerClass, type TimestepsOptions } from '../scheduler-class.ts';
import { flowHeunSigmas, flowTable } from '../tables/flow-grid.ts';
import { singleLevel } from '../x0.ts';
import { flowLevel, flowPrediction } from './flow.ts';

const NAME = 'FlowMatchHeunDiscreteScheduler';

const flowMatchHeunOptions = { num_train_timesteps: integer(1000, { min: 1, max: MAX_STEPS }), shift: number(1, { min: Number.MIN_VALUE }) };

/** FlowMatchHeunDiscreteScheduler without churn, which there raises the noise of a flow's state and leaves its signal too large. */
const flowMatchHeun = defineScheduler({
  name: NAME,
  order: 2,
  options: flowMatchHeunOptions,
  stepOptions: ['sChurn', 'sTMin', 'sTMax', 'sNoise', 'generator', 'noise'],
  create: <T>({ config, algebra }: Context<typeof flowMatchHeunOptions, T>) => (request?: TimestepsOptions): Schedule<T> => {
    const train = config.num_train_timesteps;
    const steps = request?.numInferenceSteps;
    const single = steps === undefined ? flowTable({ ...config, use_dynamic_shifting: false }) : flowHeunSigmas(config, steps);
    // Every level but the first is looked at twice: at the end of one step and at the start of the next.
    const timesteps = [...single].flatMap((sigma, i) => (i === 0 || steps === undefined ? [sigma] : [sigma, sigma])).map((sigma) => Math.fround(sigma * train));
    const sigmas = steps === undefined ? [...single] : [...[...single].flatMap((sigma, i) => (i === 0 ? [sigma] : [sigma, sigma])), 0];
    return {
      timesteps,
      sigmas,
      initNoiseSigma: 1,
      move: ({ index, options: { sChurn = 0 } }) => {
        if (sChurn > 0) throw new UnsupportedError(`[samplers/compat] ${NAME}: churn is not defined on flows: sChurn=${sChurn}. Leave it out; for noise, take stochastic_sampling of FlowMatchEulerDiscreteScheduler.`);
        return { sampler: flowHeun(), from: flowLevel(sigmas[index]!), to: flowLevel(sigmas[index + 1]!) };
      },
      predict: ({ modelOutput, question }) => ({ denoised: flowPrediction(algebra, { x: question.x, modelOutput, sigma: singleLevel(question.at).sigma }) }),
      noiseLevel: ({ index }) => flowLevel(sigmas[index]!),
    };
  },
});

export const flowHeunClasses: readonly SchedulerClass[] = [flowMatchHeun];
