import { heun } from '../../solvers/heun.ts';
import { exclusive } from '../check-call.ts';
import { off } from '../config.ts';
import { defineScheduler, type Context, type Schedule, type SchedulerClass, type TimestepsOptions } from '../scheduler-class.ts';
import { clipOptions, predictionOption } from '../x0.ts';
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

const NAME = 'HeunDiscreteScheduler';

const options = {
  ...sigmaSpaceOptions({ start: 0.00085, end: 0.012, more: ['exp'] }),
  ...sigmaRuleOptions,
  ...clipOptions(off),
  ...predictionOption(['epsilon', 'sample', 'v_prediction'], 'epsilon'),
} as const;

/** The first entry once, later ones twice: as they stand in lists of two calls a step. */
export const doubled = (values: readonly number[]): number[] => values.flatMap((value, i) => (i === 0 ? [value] : [value, value]));

export const heunDiscrete: SchedulerClass = defineScheduler({
  name: NAME,
  order: 2,
  options,
  unset: 'steps',
  timestepsOptions: ['numInferenceSteps', 'numTrainTimesteps', 'timesteps'],
  create: <T>({ config, algebra }: Context<typeof options, T>) => {
    const rule = sigmaRuleOf(config);
    const chain = sigmaChain(config);
    return (request: TimestepsOptions = { numInferenceSteps: config.num_train_timesteps }): Schedule<T> => {
      exclusive(NAME, request, ['numInferenceSteps', 'timesteps']);
      if (request.timesteps !== undefined && rule !== undefined)
        exclusive(NAME, { ...request, [`use_${rule}_sigmas`]: true }, ['timesteps', `use_${rule}_sigmas`]);
      const timesteps =
        request.timesteps?.map(Math.fround)
        ?? sigmaSpaceTimesteps(config, {
          train: request.numTrainTimesteps ?? config.num_train_timesteps,
          steps: request.numInferenceSteps!,
        });
      const grid = sigmaGrid({ chain, timesteps, rule });
      const sigmas = [...doubled(grid.sigmas.slice(0, -1)), 0];
      return {
        ...sigmaSpaceSchedule({ algebra, config, sigmas }),
        timesteps: doubled(grid.timesteps).map(Math.fround),
        move: ({ index }) => ({ sampler: heun(), from: sigmaLevelOf(sigmas[index]!), to: sigmaLevelOf(sigmas[index + 1]!) }),
      };
    };
  },
});
