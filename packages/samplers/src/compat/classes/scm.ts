import { scm } from '../../solvers/scm.ts';
import { integer, MAX_STEPS, number, oneOf } from '../config.ts';
import { type Context, defineScheduler, type Schedule, type SchedulerClass, type TimestepsOptions } from '../scheduler-class.ts';
import { trigflowAngles } from '../tables/few-step-grid.ts';
import { wholeChain } from './chain.ts';

const NAME = 'SCMScheduler';

const scmSchedulerOptions = {
  num_train_timesteps: integer(1000, { min: 1, max: MAX_STEPS }),
  prediction_type: oneOf('trigflow', ['trigflow']),
  sigma_data: number(0.5, { min: Number.MIN_VALUE }),
};

/**
 * SCMScheduler: continuous-time consistency models on TrigFlow (Lu and Song 2024, arXiv:2410.11081). The last timestep, 0, is an end and
 * has no step.
 */
const scmScheduler = defineScheduler({
  name: NAME,
  options: scmSchedulerOptions,
  timestepsOptions: ['numInferenceSteps', 'timesteps', 'maxTimesteps', 'intermediateTimesteps'],
  stepOptions: ['generator', 'noise'],
  create:
    <T>({ config: { num_train_timesteps: train, sigma_data }, algebra }: Context<typeof scmSchedulerOptions, T>) =>
    (request?: TimestepsOptions): Schedule<T> => {
      const timesteps = request === undefined ? wholeChain(train) : trigflowAngles(NAME, train, request);
      const level = (angle: number) => ({ alpha: Math.cos(angle), sigma: Math.sin(angle) * sigma_data });
      return {
        timesteps,
        sigmas: [],
        initNoiseSigma: 1,
        move: ({ index }) => ({ sampler: scm(), from: level(timesteps[index]!), to: level(timesteps[index + 1] ?? 0) }),
        predict: ({ modelOutput, question, call }) => {
          const angle = timesteps[call.index]!;
          return { denoised: algebra.linear([Math.cos(angle), question.x], [-Math.sin(angle), modelOutput]) };
        },
      };
    },
});

export const scmClasses: readonly SchedulerClass[] = [scmScheduler];
