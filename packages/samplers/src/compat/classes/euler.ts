import { nullable, number, oneOf } from '@langevin/tensor/fields';
import { euler } from '../../solvers/euler.ts';
import { zeroSnrOption } from '../betas.ts';
import { interpolateTable, torchLinspace } from '../float32.ts';
import { exclusive, refuse } from '../check-call.ts';
import { defineScheduler, type Context, type Schedule, type SchedulerClass, type TimestepsOptions } from '../scheduler-class.ts';
import { sigmasByRule, sigmaToTime } from '../sigma-tables.ts';
import { answer, predictionOption, singleLevel } from '../x0.ts';
import { levelOfBar } from './chain.ts';
import {
  sigmaChain,
  sigmaLevelOf,
  sigmaRuleOf,
  sigmaRuleOptions,
  sigmaSpaceOptions,
  sigmaSpaceSchedule,
  sigmaSpaceTimesteps,
  type SigmaGrid,
} from './sigma-space.ts';

const { fround } = Math;

/** Float16's smallest number: the last cumulative product of a chain with zero terminal signal, so that sigma stays finite. */
export const NEARLY_ZERO_BAR = 2 ** -24;

const options = {
  ...sigmaSpaceOptions(),
  ...sigmaRuleOptions,
  ...zeroSnrOption,
  ...predictionOption(['epsilon', 'sample', 'v_prediction'], 'epsilon'),
  interpolation_type: oneOf('linear', ['linear', 'log_linear']),
  sigma_min: nullable(number(0, { atLeast: 0 })),
  sigma_max: nullable(number(0, { atLeast: 0 })),
  timestep_type: oneOf('discrete', ['discrete', 'continuous']),
  final_sigmas_type: oneOf('zero', ['zero', 'sigma_min']),
} as const;

export const eulerDiscrete: SchedulerClass = defineScheduler({
  name: 'EulerDiscreteScheduler',
  options,
  unset: 'steps',
  timestepsOptions: ['numInferenceSteps', 'timesteps', 'sigmas'],
  stepOptions: ['sChurn', 'sTMin', 'sTMax', 'sNoise', 'generator', 'noise'],
  create: <T>({ config, algebra }: Context<typeof options, T>) => {
    const rule = sigmaRuleOf(config);
    const chain = sigmaChain(config, config.rescale_betas_zero_snr ? { last: NEARLY_ZERO_BAR } : {});
    const train = config.num_train_timesteps;
    /** SVD's networks know the level by a quarter of log sigma. */
    const continuous = config.timestep_type === 'continuous' && config.prediction_type === 'v_prediction';

    const grid = (request: TimestepsOptions): Pick<SigmaGrid, 'sigmas' | 'timesteps'> => {
      exclusive('EulerDiscreteScheduler', request, ['numInferenceSteps', 'timesteps', 'sigmas']);
      if (request.sigmas !== undefined) {
        const sigmas = request.sigmas.map(fround);
        return { sigmas, timesteps: sigmas.slice(0, -1).map((sigma) => sigmaToTime(sigma, chain.logTable)) };
      }
      if (request.timesteps !== undefined)
        exclusive(
          'EulerDiscreteScheduler',
          {
            ...request,
            ...(rule === undefined ? {} : { [`use_${rule}_sigmas`]: true }),
            ...(continuous ? { timestep_type: 'continuous' } : {}),
          },
          ['timesteps', 'use_karras_sigmas', 'use_exponential_sigmas', 'use_beta_sigmas', 'timestep_type'],
        );
      const timesteps = request.timesteps?.map(fround) ?? sigmaSpaceTimesteps(config, { train: train, steps: request.numInferenceSteps! });
      const { table } = chain;
      const between: readonly number[] =
        config.interpolation_type === 'linear'
          ? timesteps.map((t) => interpolateTable(t, table))
          : [...torchLinspace(chain.logTable.at(-1)!, chain.logTable[0]!, timesteps.length + 1)].map((log) => fround(Math.exp(log)));
      const made =
        rule === undefined
          ? between
          : [
              ...sigmasByRule(rule, {
                max: config.sigma_max ?? between[0]!,
                min: config.sigma_min ?? between.at(-1)!,
                steps: timesteps.length,
              }),
            ];
      const last = config.final_sigmas_type === 'zero' ? 0 : table[0]!;
      return {
        sigmas: [...made, last].map(fround),
        timesteps: rule === undefined ? timesteps : made.map((sigma) => sigmaToTime(sigma, chain.logTable)),
      };
    };

    return (request?: TimestepsOptions): Schedule<T> => {
      const { sigmas, timesteps } =
        request === undefined
          ? { sigmas: [...[...chain.table].reverse(), 0], timesteps: [...chain.table.keys()].reverse() }
          : grid(request);
      const wrong = sigmas.findIndex((sigma, i) => !(sigma > 0) && !(sigma === 0 && i === sigmas.length - 1));
      if (wrong >= 0)
        refuse(
          'EulerDiscreteScheduler',
          `a step begins at a sigma above 0, and ends at 0 at the least: sigmas[${wrong}]=${sigmas[wrong]}. Raise sigma_min above 0, or `
            + 'end the list where it is 0.',
        );
      const common = sigmaSpaceSchedule({ algebra, config, sigmas });
      const levels = sigmas.map(sigmaLevelOf);
      return {
        ...common,
        timesteps: (continuous ? sigmas.slice(0, -1).map((sigma) => 0.25 * fround(Math.log(sigma))) : timesteps).map(fround),
        move: ({ index, options: { sChurn = 0, sTMin = 0, sTMax = Infinity, sNoise = 1 } }) => ({
          sampler: euler({ sChurn, sTMin, sTMax, sNoise }),
          from: levels[index]!,
          to: levels[index + 1]!,
          index,
          levels,
        }),
        // Upstream turns v into x0 at the level before churn raised it.
        predict: ({ modelOutput, question, call }) =>
          answer({
            algebra,
            prediction: config.prediction_type,
            x: question.x,
            modelOutput,
            at: config.prediction_type === 'v_prediction' ? levels[call.index]! : singleLevel(question.at),
            config: {},
          }),
        // Upstream looks the place in the list up in the table of the whole chain.
        velocityLevel: ({ index }) => levelOfBar(chain.alphaBars[index]!),
      };
    };
  },
});
