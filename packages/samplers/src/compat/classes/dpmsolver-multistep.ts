import { UserError } from '@langevin/tensor';
import { integer } from '@langevin/tensor/fields';
import { zeroSnrOption } from '../betas.ts';
import { off, on } from '../config.ts';
import { type Context, defineScheduler, type Schedule, type SchedulerClass, type TimestepsOptions } from '../scheduler-class.ts';
import {
  countBelow,
  customTimesteps,
  gridOf,
  lambdaTimesteps,
  ruledSigmas,
  unique,
  type LambdaGrid,
  type LambdaRule,
} from '../tables/lambda-grid.ts';
import {
  clippingOption,
  dynamicShiftOptions,
  finalSigmasOption,
  distinct,
  lambdaChain,
  lambdaOptions,
  lambdaPrediction,
  lambdaRuleOf,
  lambdaSpacingOptions,
  refuseFlowOfNoise,
  shiftOf,
  stateSpace,
  varianceOption,
  walk,
  wholeGrid,
} from './lambda.ts';
import { lowerOrderRule, multistepSolver, type AlgorithmName } from './multistep.ts';
import { aliased } from './remapped.ts';

const shared = {
  ...lambdaOptions,
  ...lambdaSpacingOptions,
  ...clippingOption,
  ...varianceOption,
  solver_order: integer(2, { atLeast: 1, atMost: 3 }),
  algorithm_type: aliased<AlgorithmName>('dpmsolver++', ['dpmsolver', 'dpmsolver++', 'sde-dpmsolver', 'sde-dpmsolver++'], ['deis']),
  solver_type: aliased('midpoint', ['midpoint', 'heun'], ['logrho', 'bh1', 'bh2']),
  lower_order_final: on,
  euler_at_final: off,
};

const isOfNoise = (algorithm: AlgorithmName): boolean => algorithm === 'dpmsolver' || algorithm === 'sde-dpmsolver';

function refuseThirdOrder(name: string, algorithm: AlgorithmName, order: number): void {
  if (algorithm === 'sde-dpmsolver' && order === 3)
    throw new UserError(
      `[samplers/compat] ${name}: there is no third-order rule: algorithm_type="sde-dpmsolver", solver_order=3. Set solver_order `
        + 'to 2, or algorithm_type to "sde-dpmsolver++".',
    );
}

const NAME = 'DPMSolverMultistepScheduler';

const dpmSolverMultistepOptions = {
  ...shared,
  ...zeroSnrOption,
  ...dynamicShiftOptions,
  ...finalSigmasOption,
  use_lu_lambdas: off,
};

/** DPMSolverMultistepScheduler: DPM-Solver and DPM-Solver++ over up to three evaluations, for the ODE and the SDE. */
const dpmSolverMultistep = defineScheduler({
  name: NAME,
  options: dpmSolverMultistepOptions,
  timestepsOptions: ['numInferenceSteps', 'timesteps', 'mu'],
  stepOptions: ['generator', 'noise'],
  create: <T>({ config, algebra }: Context<typeof dpmSolverMultistepOptions, T>) => {
    const { algorithm_type: algorithm, final_sigmas_type } = config;
    refuseThirdOrder(NAME, algorithm, config.solver_order);
    if (isOfNoise(algorithm)) {
      refuseFlowOfNoise(NAME, `algorithm_type="${algorithm}"`, config.prediction_type);
      if (final_sigmas_type === 'zero')
        throw new UserError(
          `[samplers/compat] ${NAME}: predictions of the noise cannot be integrated to a clean end: algorithm_type="${algorithm}", `
            + 'final_sigmas_type="zero". Set final_sigmas_type to "sigma_min".',
        );
    }
    const chain = lambdaChain(config);
    const rule = lambdaRuleOf(config);
    const last = config.num_train_timesteps - countBelow(chain.alphaBars, config.lambda_min_clipped);
    const grid = (request: TimestepsOptions): LambdaGrid => {
      const timesteps = requestedTimesteps(request, { rule, config, last });
      const { tables } = chain;
      const ruled = ruledSigmas({
        tables,
        timesteps,
        rule,
        train: config.num_train_timesteps,
        flowShift: shiftOf(NAME, config, request.mu),
        rounds: (rule === 'karras' || rule === 'lu') && config.beta_schedule !== 'squaredcos_cap_v2',
      });
      return gridOf(ruled.timesteps, ruled.sigmas, final_sigmas_type === 'zero' ? 0 : tables.sigmas[0]!);
    };
    return (request?: TimestepsOptions): Schedule<T> => {
      const made = request === undefined ? wholeGrid(chain.tables) : distinct(NAME, grid(request), { order: config.solver_order });
      const { levels, ends } = walk(made, stateSpace(config));
      const sampler = multistepSolver({
        algorithm,
        order: config.solver_order as 1 | 2 | 3,
        solverType: config.solver_type,
        lowerOrderFinal: lowerOrderRule(config, made.timesteps.length),
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

function requestedTimesteps(
  { numInferenceSteps: steps, timesteps }: TimestepsOptions,
  {
    rule,
    config,
    last,
  }: {
    readonly rule: LambdaRule | undefined;
    readonly config: {
      readonly num_train_timesteps: number;
      readonly timestep_spacing: 'linspace' | 'leading' | 'trailing';
      readonly steps_offset: number;
    };
    readonly last: number;
  },
): number[] {
  if ((steps === undefined) === (timesteps === undefined))
    throw new UserError(
      `[samplers/compat] ${NAME}: a run is given by a number of steps or by its timesteps: numInferenceSteps and timesteps. Pass `
        + 'exactly one.',
    );
  if (timesteps !== undefined) {
    if (rule !== undefined && rule !== 'flow')
      throw new UserError(
        `[samplers/compat] ${NAME}: the rule "${rule}" makes its own timesteps: timesteps of ${timesteps.length} entries. Pass `
          + 'numInferenceSteps, or a config without the rule.',
      );
    return customTimesteps(NAME, timesteps, config.num_train_timesteps);
  }
  return lambdaTimesteps({
    spacing: config.timestep_spacing,
    last,
    train: config.num_train_timesteps,
    offset: config.steps_offset,
    steps: steps!,
  });
}

const INVERSE = 'DPMSolverMultistepInverseScheduler';

/** DPMSolverMultistepInverseScheduler: the same steps from an image towards noise. */
const dpmSolverMultistepInverse = defineScheduler({
  name: INVERSE,
  options: shared,
  stepOptions: ['generator', 'noise'],
  create: <T>({ config, algebra }: Context<typeof shared, T>) => {
    const { algorithm_type: algorithm } = config;
    if (algorithm.startsWith('sde'))
      throw new UserError(
        `[samplers/compat] ${INVERSE}: the SDE has no steps towards noise: algorithm_type="${algorithm}". Set it to "dpmsolver++".`,
      );
    if (isOfNoise(algorithm)) refuseFlowOfNoise(INVERSE, `algorithm_type="${algorithm}"`, config.prediction_type);
    const { alphaBars, tables } = lambdaChain(config);
    const rule = lambdaRuleOf(config);
    const train = config.num_train_timesteps;
    const last = train - countBelow(alphaBars, config.lambda_min_clipped);
    const grid = (steps: number): LambdaGrid => {
      const plain = lambdaTimesteps({ spacing: config.timestep_spacing, last, train, offset: config.steps_offset, steps, ascending: true });
      const { timesteps, sigmas } = ruledSigmas({
        tables,
        timesteps: plain,
        rule,
        train,
        flowShift: config.flow_shift,
        rounds: rule === 'karras',
        ascending: true,
      });
      return gridOf(unique(timesteps), sigmas, rule === undefined ? tables.sigmas[last - 1]! : sigmas[sigmas.length - 1]!);
    };
    return (request?: TimestepsOptions): Schedule<T> => {
      const made =
        request?.numInferenceSteps === undefined
          ? { timesteps: Array.from({ length: train }, (_, i) => i), sigmas: [...tables.sigmas] }
          : distinct(INVERSE, grid(request.numInferenceSteps), { order: config.solver_order });
      const { levels, ends } = walk(made, stateSpace(config));
      const lowerOrderFinal = lowerOrderRule(config, made.timesteps.length);
      const sampler = multistepSolver({
        algorithm,
        order: config.solver_order as 1 | 2 | 3,
        solverType: config.solver_type,
        lowerOrderFinal,
      });
      return {
        ...made,
        initNoiseSigma: 1,
        missing: 'last',
        learnsVariance: config.variance_type !== null,
        move: (call) => ({ sampler, ...ends(call) }),
        predict: lambdaPrediction(algebra, config, made.sigmas),
        noiseLevel: ({ index }) => levels[index]!,
      };
    };
  },
});

export const dpmSolverMultistepClasses: readonly SchedulerClass[] = [dpmSolverMultistep, dpmSolverMultistepInverse];
