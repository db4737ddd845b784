import type { Sampler } from '@langevin/core';
import { dpm2 } from '../../solvers/dpm-2.ts';
import { dpm2Ancestral } from '../../solvers/dpm-2-ancestral.ts';
import {
  defineScheduler,
  type Context,
  type Schedule,
  type SchedulerClass,
  type StepOptions,
  type TimestepsOptions,
} from '../scheduler-class.ts';
import { sigmaToTime } from '../sigma-tables.ts';
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

const options = {
  ...sigmaSpaceOptions({ start: 0.00085, end: 0.012 }),
  ...sigmaRuleOptions,
  ...predictionOption(['epsilon', 'v_prediction'], 'epsilon'),
} as const;

interface Kind {
  readonly name: string;
  readonly stepOptions: readonly (keyof StepOptions<unknown>)[];
  readonly sampler: Sampler;
  /** The sigma of the second evaluation of a step. */
  readonly middle: (sigma: number, next: number) => number;
}

const kinds: readonly Kind[] = [
  { name: 'KDPM2DiscreteScheduler', stepOptions: [], sampler: dpm2(), middle: (sigma, next) => Math.sqrt(sigma * next) },
  // Half way, in log sigma, to next^2 / sigma, which is where the deterministic part leads.
  { name: 'KDPM2AncestralDiscreteScheduler', stepOptions: ['generator', 'noise'], sampler: dpm2Ancestral(), middle: (_, next) => next },
];

const kdpm2 = ({ name, stepOptions, sampler, middle }: Kind): SchedulerClass =>
  defineScheduler({
    name,
    order: 2,
    options,
    unset: 'steps',
    timestepsOptions: ['numInferenceSteps', 'numTrainTimesteps'],
    stepOptions,
    create: <T>({ config, algebra }: Context<typeof options, T>) => {
      const rule = sigmaRuleOf(config);
      const chain = sigmaChain(config);
      return (request: TimestepsOptions = { numInferenceSteps: config.num_train_timesteps }): Schedule<T> => {
        const wanted = sigmaSpaceTimesteps(config, {
          train: request.numTrainTimesteps ?? config.num_train_timesteps,
          steps: request.numInferenceSteps!,
        });
        const { sigmas: once, timesteps } = sigmaGrid({ chain, timesteps: wanted, rule, rounds: rule === 'karras' });
        const sigmas = [...once.flatMap((sigma, i) => (i === 0 ? [sigma] : [sigma, sigma])), 0];
        return {
          ...sigmaSpaceSchedule({ algebra, config, sigmas }),
          timesteps: timesteps.flatMap((t, i) => (i === 0 ? [t] : [sigmaToTime(middle(once[i - 1]!, once[i]!), chain.logTable), t])),
          move: ({ index }) => ({ sampler, from: sigmaLevelOf(sigmas[index]!), to: sigmaLevelOf(sigmas[index + 1]!) }),
        };
      };
    },
  });

export const kdpm2Classes: readonly SchedulerClass[] = kinds.map(kdpm2);
