import { eulerAncestral } from '../../solvers/euler-ancestral.ts';
import { zeroSnrOption } from '../betas.ts';
import { defineScheduler, type Context, type Schedule, type SchedulerClass, type TimestepsOptions } from '../scheduler-class.ts';
import { predictionOption } from '../x0.ts';
import { NEARLY_ZERO_BAR } from './euler.ts';
import { sigmaChain, sigmaGrid, sigmaLevelOf, sigmaSpaceOptions, sigmaSpaceSchedule, sigmaSpaceTimesteps } from './sigma-space.ts';

const options = { ...sigmaSpaceOptions(), ...zeroSnrOption, ...predictionOption(['epsilon', 'v_prediction'], 'epsilon') } as const;

export const eulerAncestralDiscrete: SchedulerClass = defineScheduler({
  name: 'EulerAncestralDiscreteScheduler',
  options,
  unset: 'steps',
  stepOptions: ['generator', 'noise'],
  create: <T>({ config, algebra }: Context<typeof options, T>) => {
    const chain = sigmaChain(config, config.rescale_betas_zero_snr ? { last: NEARLY_ZERO_BAR } : {});
    return (request?: TimestepsOptions): Schedule<T> => {
      const timesteps =
        request === undefined
          ? [...chain.table.keys()].reverse()
          : sigmaSpaceTimesteps(config, { train: config.num_train_timesteps, steps: request.numInferenceSteps! });
      const { sigmas } = sigmaGrid({ chain, timesteps, rule: undefined });
      return {
        ...sigmaSpaceSchedule({ algebra, config, sigmas }),
        timesteps,
        move: ({ index }) => ({
          sampler: eulerAncestral(),
          from: sigmaLevelOf(sigmas[index]!),
          to: sigmaLevelOf(sigmas[index + 1]!),
          draws: 1,
        }),
      };
    };
  },
});
