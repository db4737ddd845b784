import type { NoiseLevel } from '@langevin/core';
import { UserError } from '@langevin/tensor';
import { integer, oneOf, type Field } from '@langevin/tensor/fields';
import { saSolver } from '../../solvers/sa-solver.ts';
import { on } from '../config.ts';
import { type Context, defineScheduler, type Schedule, type SchedulerClass, type TimestepsOptions } from '../scheduler-class.ts';
import { countBelow, gridOf, lambdaTimesteps, ruledSigmas, type LambdaGrid } from '../tables/lambda-grid.ts';
import {
  clippingOption,
  distinct,
  lambdaChain,
  lambdaOptions,
  lambdaPrediction,
  lambdaRuleOf,
  lambdaSpacingOptions,
  refuseFlowOfNoise,
  stateSpace,
  varianceOption,
  walk,
  wholeGrid,
} from './lambda.ts';

const NAME = 'SASolverScheduler';

/** Noise in the middle of the chain. */
const middle = (t: number): number => (t >= 200 && t <= 800 ? 1 : 0);

type TauFunction = (timestep: number) => number;

/** tau_func: in Python a function of the timestep, and so it is here; configs from files have null. */
const tauOption: Field<TauFunction | null> = {
  fallback: null,
  parse: (value) =>
    value === null || typeof value === 'function'
      ? { value: value as TauFunction | null }
      : { expected: 'a function of the timestep, or null' },
};

const saSchedulerOptions = {
  ...lambdaOptions,
  ...lambdaSpacingOptions,
  ...clippingOption,
  ...varianceOption,
  predictor_order: integer(2, { atLeast: 1, atMost: 4 }),
  corrector_order: integer(2, { atLeast: 1, atMost: 4 }),
  tau_func: tauOption,
  algorithm_type: oneOf('data_prediction', ['data_prediction', 'noise_prediction']),
  lower_order_final: on,
};

/** SASolverScheduler: stochastic Adams methods, predictor and corrector (Xue et al. 2023, arXiv:2309.05019). */
const saScheduler = defineScheduler({
  name: NAME,
  options: saSchedulerOptions,
  stepOptions: ['generator', 'noise'],
  create: <T>({ config, algebra }: Context<typeof saSchedulerOptions, T>) => {
    const { algorithm_type, thresholding, variance_type } = config;
    const ofNoise = algorithm_type === 'noise_prediction';
    const fail = (what: string): never => {
      throw new UserError(`[samplers/compat] ${NAME}: ${what}`);
    };
    if (ofNoise) refuseFlowOfNoise(NAME, 'algorithm_type="noise_prediction"', config.prediction_type);
    if (ofNoise && thresholding)
      fail(
        'thresholding has no rule for predictions of the noise: thresholding=true, algorithm_type="noise_prediction". Set '
          + 'algorithm_type to "data_prediction".',
      );
    if (variance_type !== null)
      fail(
        `learned variances have no place in the method: variance_type="${variance_type}". Set it to null and pass the leading `
          + 'channels of the output.',
      );
    const { alphaBars, tables } = lambdaChain(config);
    const rule = lambdaRuleOf(config);
    const train = config.num_train_timesteps;
    const last = train - countBelow(alphaBars, config.lambda_min_clipped);
    const grid = (steps: number): LambdaGrid => {
      const timesteps = lambdaTimesteps({ spacing: config.timestep_spacing, last, train, offset: config.steps_offset, steps });
      const ruled = ruledSigmas({ tables, timesteps, rule, train, flowShift: config.flow_shift, rounds: rule === 'karras' });
      return gridOf(ruled.timesteps, ruled.sigmas, rule === undefined ? tables.sigmas[0]! : ruled.sigmas[steps - 1]!);
    };
    const tauOf = config.tau_func ?? middle;
    return (request?: TimestepsOptions): Schedule<T> => {
      const made =
        request?.numInferenceSteps === undefined
          ? wholeGrid(tables)
          : distinct(NAME, grid(request.numInferenceSteps), { order: Math.max(config.predictor_order, config.corrector_order) });
      const { levels, ends } = walk(made, stateSpace(config));
      const sampler = saSolver({
        predictorOrder: config.predictor_order as 1 | 2 | 3 | 4,
        correctorOrder: config.corrector_order as 1 | 2 | 3 | 4,
        prediction: ofNoise ? 'epsilon' : 'x0',
        weights: 'reference',
        tau: (at: NoiseLevel) => tauOf(made.timesteps[levels.indexOf(at)]!),
        lowerOrderFinal: config.lower_order_final ? 'always' : 'clean',
      });
      return {
        ...made,
        initNoiseSigma: 1,
        missing: 'last',
        move: (call) => ({ sampler, ...ends(call), draws: 1 }),
        predict: lambdaPrediction(algebra, config, made.sigmas),
        // The chain's own levels, by timestep.
        noiseLevel: ({ t }) => {
          const bar = alphaBars[t] ?? fail(`the chain has no such step: t=${t}. Pass a whole number in 0..${train - 1}.`);
          return { alpha: Math.sqrt(bar), sigma: Math.sqrt(1 - bar) };
        },
      };
    };
  },
});

export const saSolverClasses: readonly SchedulerClass[] = [saScheduler];
