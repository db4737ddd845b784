import { integer, number, oneOf } from '@langevin/tensor/fields';
import { scm } from '../../solvers/scm.ts';
import { MAX_STEPS } from '../config.ts';
import { type Context, defineScheduler, type Schedule, type SchedulerClass, type TimestepsOptions } from '../scheduler-class.ts';
import { refuse } from '../check-call.ts';
import { trigflowAngles } from '../tables/few-step-grid.ts';
import { wholeChain } from './chain.ts';

const NAME = 'SCMScheduler';

const scmSchedulerOptions = {
  num_train_timesteps: integer(1000, { atLeast: 1, atMost: MAX_STEPS }),
  prediction_type: oneOf('trigflow', ['trigflow']),
  sigma_data: number(0.5, { above: 0 }),
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
        move: ({ index }) => {
          const [from, to] = [timesteps[index]!, timesteps[index + 1]];
          if (to === undefined)
            refuse(NAME, `the last timestep is where the run ends and has no step: stepIndex=${index}. End the loop one timestep earlier.`);
          return { sampler: scm(), from: level(from), to: level(to), draws: 1 };
        },
        predict: ({ modelOutput, question, call }) => {
          const angle = timesteps[call.index]!;
          return { denoised: algebra.linear([Math.cos(angle), question.x], [-Math.sin(angle), modelOutput]) };
        },
      };
    },
});

export const scmClasses: readonly SchedulerClass[] = [scmScheduler];
