import { UserError } from '@langevin/tensor';
import { integer } from '@langevin/tensor/fields';
import { dpmSolver } from '../../solvers/dpm-solver.ts';
import { off } from '../config.ts';
import { exclusive } from '../check-call.ts';
import { type Context, defineScheduler, type Schedule, type SchedulerClass, type TimestepsOptions } from '../scheduler-class.ts';
import { countBelow, customTimesteps, gridOf, lambdaTimesteps, ruledSigmas, type LambdaGrid } from '../tables/lambda-grid.ts';
import {
  clippingOption,
  dynamicShiftOptions,
  finalSigmasOption,
  distinct,
  lambdaChain,
  lambdaOptions,
  lambdaPrediction,
  lambdaRuleOf,
  refuseFlowOfNoise,
  shiftOf,
  stateSpace,
  varianceOption,
  walk,
  wholeGrid,
} from './lambda.ts';
import { aliased } from './remapped.ts';

const NAME = 'DPMSolverSinglestepScheduler';

const dpmSolverSinglestepOptions = {
  ...lambdaOptions,
  ...clippingOption,
  ...varianceOption,
  ...dynamicShiftOptions,
  ...finalSigmasOption,
  solver_order: integer(2, { atLeast: 1, atMost: 3 }),
  algorithm_type: aliased('dpmsolver++', ['dpmsolver', 'dpmsolver++', 'sde-dpmsolver++'], ['deis']),
  solver_type: aliased('midpoint', ['midpoint', 'heun'], ['logrho', 'bh1', 'bh2']),
  lower_order_final: off,
};

/** DPMSolverSinglestepScheduler: single-step DPM-Solver whose inner points are timesteps of the run, one evaluation each. */
const dpmSolverSinglestep = defineScheduler({
  name: NAME,
  options: dpmSolverSinglestepOptions,
  timestepsOptions: ['numInferenceSteps', 'timesteps', 'mu'],
  stepOptions: ['generator', 'noise'],
  create: <T>({ config, algebra }: Context<typeof dpmSolverSinglestepOptions, T>) => {
    const { algorithm_type: algorithm, final_sigmas_type, solver_order: order, lower_order_final } = config;
    const train = config.num_train_timesteps;
    const fail = (what: string): never => {
      throw new UserError(`[samplers/compat] ${NAME}: ${what}`);
    };
    if (algorithm === 'dpmsolver') {
      refuseFlowOfNoise(NAME, 'algorithm_type="dpmsolver"', config.prediction_type);
      if (final_sigmas_type === 'zero')
        fail(
          'predictions of the noise cannot be integrated to a clean end: algorithm_type="dpmsolver", final_sigmas_type="zero". Set '
            + 'final_sigmas_type to "sigma_min".',
        );
      if (config.thresholding)
        fail(
          'thresholding has no rule for predictions of the noise: thresholding=true, algorithm_type="dpmsolver". Set '
            + 'algorithm_type to "dpmsolver++".',
        );
    }
    const { alphaBars, tables } = lambdaChain(config);
    const rule = lambdaRuleOf(config);
    const last = train - countBelow(alphaBars, config.lambda_min_clipped);
    const grid = (request: TimestepsOptions): LambdaGrid => {
      exclusive(NAME, request, ['numInferenceSteps', 'timesteps']);
      const { timesteps, numInferenceSteps: steps } = request;
      if (timesteps !== undefined && rule !== undefined && rule !== 'flow')
        fail(
          `the rule "${rule}" makes its own timesteps: timesteps of ${timesteps.length} entries. Pass numInferenceSteps, or a `
            + 'config without the rule.',
        );
      const plain =
        timesteps === undefined
          ? lambdaTimesteps({ spacing: 'linspace', last, train, offset: 0, steps: steps! })
          : customTimesteps(NAME, timesteps, train);
      const ruled = ruledSigmas({
        tables,
        timesteps: plain,
        rule,
        train,
        flowShift: shiftOf(NAME, config, request.mu),
        rounds: rule === 'karras',
      });
      return gridOf(ruled.timesteps, ruled.sigmas, final_sigmas_type === 'zero' ? 0 : tables.sigmas[0]!);
    };
    // A clean end, and blocks that do not fill a run, turn lower_order_final on: for later runs, too, as upstream writes its config.
    let lowers = lower_order_final || final_sigmas_type === 'zero';
    return (request?: TimestepsOptions): Schedule<T> => {
      const made = request === undefined ? wholeGrid(tables) : distinct(NAME, grid(request), { order, block: order });
      const { levels, ends } = walk(made, stateSpace(config));
      if (request !== undefined) lowers ||= made.timesteps.length % order !== 0;
      const sampler = dpmSolver({
        form: 'blocks',
        order: order as 1 | 2 | 3,
        prediction: algorithm === 'dpmsolver' ? 'epsilon' : 'x0',
        solverType: config.solver_type,
        weights: 'reference',
        lowerOrderFinal: lowers ? 'always' : 'clean',
        ...(algorithm === 'sde-dpmsolver++' ? { eta: 1 } : {}),
      });
      return {
        ...made,
        initNoiseSigma: 1,
        missing: 'last',
        learnsVariance: config.variance_type !== null,
        move: (call) => ({ sampler, ...ends(call), draws: sampler.stochastic ? 1 : 0 }),
        predict: lambdaPrediction(algebra, config, made.sigmas),
        noiseLevel: ({ index }) => levels[index]!,
      };
    };
  },
});

export const dpmSolverSinglestepClasses: readonly SchedulerClass[] = [dpmSolverSinglestep];
