import { integer } from '@langevin/tensor/fields';
import { deis } from '../../solvers/deis.ts';
import { on } from '../config.ts';
import { type Context, defineScheduler, type Schedule, type SchedulerClass, type TimestepsOptions } from '../scheduler-class.ts';
import { gridOf, lambdaTimesteps, ruledSigmas, type LambdaGrid } from '../tables/lambda-grid.ts';
import {
  dynamicShiftOptions,
  distinct,
  lambdaChain,
  lambdaOptions,
  lambdaPrediction,
  lambdaRuleOf,
  lambdaSpacingOptions,
  shiftOf,
  stateSpace,
  walk,
  wholeGrid,
} from './lambda.ts';
import { lowerOrderRule } from './multistep.ts';
import { aliased } from './remapped.ts';

const NAME = 'DEISMultistepScheduler';

const deisSchedulerOptions = {
  ...lambdaOptions,
  ...lambdaSpacingOptions,
  ...dynamicShiftOptions,
  solver_order: integer(2, { atLeast: 1, atMost: 3 }),
  algorithm_type: aliased('deis', ['deis'], ['dpmsolver', 'dpmsolver++']),
  solver_type: aliased('logrho', ['logrho'], ['midpoint', 'heun', 'bh1', 'bh2']),
  lower_order_final: on,
};

/**
 * DEISMultistepScheduler: Adams-Bashforth in sigma / alpha through polynomials in its logarithm (Zhang and Chen 2022, arXiv:2204.13902).
 */
const deisScheduler = defineScheduler({
  name: NAME,
  options: deisSchedulerOptions,
  timestepsOptions: ['numInferenceSteps', 'mu'],
  create: <T>({ config, algebra }: Context<typeof deisSchedulerOptions, T>) => {
    const { tables } = lambdaChain(config);
    const rule = lambdaRuleOf(config);
    const train = config.num_train_timesteps;
    const grid = (steps: number, mu: number | undefined): LambdaGrid => {
      const timesteps = lambdaTimesteps({ spacing: config.timestep_spacing, last: train, train, offset: config.steps_offset, steps });
      const ruled = ruledSigmas({ tables, timesteps, rule, train, flowShift: shiftOf(NAME, config, mu), rounds: rule === 'karras' });
      return gridOf(ruled.timesteps, ruled.sigmas, rule === undefined ? tables.sigmas[0]! : ruled.sigmas[steps - 1]!);
    };
    return (request?: TimestepsOptions): Schedule<T> => {
      const made =
        request?.numInferenceSteps === undefined
          ? wholeGrid(tables)
          : distinct(NAME, grid(request.numInferenceSteps, request.mu), { order: config.solver_order });
      const { levels, ends } = walk(made, stateSpace(config));
      const sampler = deis({
        order: config.solver_order as 1 | 2 | 3,
        form: 'log-rho',
        lowerOrderFinal: lowerOrderRule(config, made.timesteps.length),
      });
      return {
        ...made,
        initNoiseSigma: 1,
        missing: 'last',
        move: (call) => ({ sampler, ...ends(call) }),
        predict: lambdaPrediction(algebra, config, made.sigmas),
        noiseLevel: ({ index }) => levels[index]!,
      };
    };
  },
});

export const deisClasses: readonly SchedulerClass[] = [deisScheduler];
