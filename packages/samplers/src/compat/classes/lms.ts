import { UserError } from '@langevin/tensor';
import { lms } from '../../solvers/lms.ts';
import { defineScheduler, type Context, type Schedule, type SchedulerClass, type TimestepsOptions } from '../scheduler-class.ts';
import { predictionOption } from '../x0.ts';
import {
  sigmaChain,
  sigmaGrid,
  sigmaLevelOf,
  sigmaRuleOf,
  sigmaRuleOptions,
  sigmaSpaceOptions,
  sigmaSpaceSchedule,
  sigmaSpaceTimesteps,
} from './sigma-space.ts';

const NAME = 'LMSDiscreteScheduler';

const options = {
  ...sigmaSpaceOptions(),
  ...sigmaRuleOptions,
  ...predictionOption(['epsilon', 'sample', 'v_prediction'], 'epsilon'),
} as const;

const isOrder = (order: number): order is 1 | 2 | 3 | 4 => order === 1 || order === 2 || order === 3 || order === 4;

export const lmsDiscrete: SchedulerClass = defineScheduler({
  name: NAME,
  options,
  unset: 'steps',
  stepOptions: ['order'],
  create: <T>({ config, algebra }: Context<typeof options, T>) => {
    const rule = sigmaRuleOf(config);
    const chain = sigmaChain(config);
    return (request: TimestepsOptions = { numInferenceSteps: config.num_train_timesteps }): Schedule<T> => {
      const { sigmas, timesteps } = sigmaGrid({
        chain,
        timesteps: sigmaSpaceTimesteps(config, { train: config.num_train_timesteps, steps: request.numInferenceSteps! }),
        rule,
      });
      const levels = sigmas.map(sigmaLevelOf);
      return {
        ...sigmaSpaceSchedule({ algebra, config, sigmas }),
        timesteps: timesteps.map(Math.fround),
        move: ({ index, options: { order = 4 } }) => {
          if (!isOrder(order)) throw new UserError(`[samplers/compat] ${NAME}: order is 1, 2, 3 or 4: order=${order}. Leave it out for 4.`);
          // A run that begins in the middle counts the steps before it, of which it knows nothing.
          return {
            sampler: lms({ order }),
            from: levels[index]!,
            to: levels[index + 1]!,
            index,
            levels,
            pastLevels: levels.slice(Math.max(0, index - 3), index).reverse(),
          };
        },
      };
    };
  },
});
