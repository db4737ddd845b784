import { UserError } from '@langevin/tensor';
import { integer, list, nullable, number, oneOf } from '@langevin/tensor/fields';
import { unipc, type PredictorStep, type UnipcOptions } from '../../solvers/unipc.ts';
import { zeroSnrOption } from '../betas.ts';
import { MAX_STEPS, off, on } from '../config.ts';
import { linspace } from '../float32.ts';
import {
  type Context,
  defineScheduler,
  type Output,
  type Place,
  type Schedule,
  type SchedulerClass,
  type TimestepsOptions,
} from '../scheduler-class.ts';
import { logTable } from '../sigma-tables.ts';
import { dynamicallyShifted, gridOf, lambdaTimesteps, ruledSigmas, shifted, stretchedTo, type LambdaGrid } from '../tables/lambda-grid.ts';
import {
  finalSigmasOption,
  distinct,
  lambdaChain,
  lambdaOptions,
  lambdaPrediction,
  lambdaRuleOf,
  lambdaSpacingOptions,
  refuseFlowOfNoise,
  stateSpace,
  walk,
  wholeGrid,
} from './lambda.ts';
import { nestedConfig } from './nested.ts';
import { aliased } from './remapped.ts';

const NAME = 'UniPCMultistepScheduler';

/** The first sigma of a flow is taken a little below 1, where lambda is -Infinity. */
const BELOW_ONE = 1e-6;

const unipcSchedulerOptions = {
  ...lambdaOptions,
  ...lambdaSpacingOptions,
  ...zeroSnrOption,
  ...finalSigmasOption,
  solver_order: integer(2, { atLeast: 1, atMost: 3 }),
  predict_x0: on,
  solver_type: aliased('bh2', ['bh1', 'bh2'], ['midpoint', 'heun', 'logrho']),
  lower_order_final: on,
  disable_corrector: list([], integer(0, { atLeast: 0, atMost: MAX_STEPS }), { atMost: MAX_STEPS }),
  solver_p: nullable(nestedConfig),
  use_dynamic_shifting: off,
  time_shift_type: oneOf('exponential', ['exponential', 'linear']),
  sigma_min: nullable(number(0, { above: 0 })),
  sigma_max: nullable(number(0, { above: 0 })),
  shift_terminal: nullable(number(0, { atLeast: 0, atMost: 1 })),
};

/** UniPCMultistepScheduler: predictor and corrector of orders 1 to 3 and beyond (Zhao et al. 2023, arXiv:2302.04867). */
const unipcScheduler = defineScheduler({
  name: NAME,
  options: unipcSchedulerOptions,
  timestepsOptions: ['numInferenceSteps', 'sigmas', 'mu'],
  create: <T>({ config, algebra, nested }: Context<typeof unipcSchedulerOptions, T>) => {
    const { solver_order: order, solver_type, predict_x0, final_sigmas_type, lower_order_final, num_train_timesteps: train } = config;
    const fail = (what: string): never => {
      throw new UserError(`[samplers/compat] ${NAME}: ${what}`);
    };
    if (config.shift_terminal !== null && !config.use_flow_sigmas)
      fail(
        `a terminal shift belongs to flows: shift_terminal=${config.shift_terminal}, use_flow_sigmas=false. Set use_flow_sigmas, `
          + 'or leave it out.',
      );
    if (!predict_x0) refuseFlowOfNoise(NAME, 'predict_x0=false', config.prediction_type);
    if (final_sigmas_type === 'zero') {
      const remedy = 'Set final_sigmas_type to "sigma_min"';
      if (solver_type === 'bh1')
        fail(
          `B(h) = h is infinite on a step to sigma = 0: solver_type="bh1", final_sigmas_type="zero". ${remedy}, or solver_type to "bh2".`,
        );
      if (!predict_x0)
        fail(
          `predictions of the noise cannot be integrated to a clean end: predict_x0=false, final_sigmas_type="zero". ${remedy}, or `
            + 'predict_x0 to true.',
        );
      if (!lower_order_final && order > 1)
        fail(
          `a step to sigma = 0 is of first order: lower_order_final=false, solver_order=${order}, final_sigmas_type="zero". `
            + `${remedy}, or lower_order_final to true.`,
        );
    }
    const { tables } = lambdaChain(config);
    const rule = lambdaRuleOf(config);
    const flowOf = ({ sigmas, mu }: TimestepsOptions, steps: number): number[] => {
      const plain = sigmas ?? [...linspace(1, 1 / train, steps + 1)].slice(0, -1);
      const moved = plain.map((sigma) =>
        config.use_dynamic_shifting ? dynamicallyShifted(sigma, mu!, config.time_shift_type) : shifted(sigma, config.flow_shift),
      );
      const stretched = config.shift_terminal === null || config.shift_terminal === 0 ? moved : stretchedTo(config.shift_terminal, moved);
      return stretched.map((sigma, i) => (i === 0 && Math.abs(sigma - 1) < BELOW_ONE ? sigma - BELOW_ONE : sigma));
    };
    const grid = (request: TimestepsOptions): LambdaGrid => {
      const { sigmas: given, mu } = request;
      if (config.use_dynamic_shifting && mu === undefined)
        fail('the shift depends on the resolution: use_dynamic_shifting=true, mu=undefined. Pass mu to setTimesteps.');
      if (given !== undefined && !config.use_flow_sigmas)
        fail('sigmas can be given for flows only: use_flow_sigmas=false. Pass numInferenceSteps, or set use_flow_sigmas.');
      const steps =
        given?.length
        ?? request.numInferenceSteps
        ?? fail('nothing says how many steps there are: numInferenceSteps=undefined. Pass a number, or sigmas.');
      const end = (sigmas: readonly number[]): number => (final_sigmas_type === 'zero' ? 0 : sigmas[sigmas.length - 1]!);
      if (rule === 'flow') {
        const sigmas = flowOf(request, steps);
        return gridOf(
          sigmas.map((sigma) => Math.trunc(sigma * train)),
          sigmas,
          end(sigmas),
        );
      }
      const plain = lambdaTimesteps({ spacing: config.timestep_spacing, last: train, train, offset: config.steps_offset, steps });
      // Given sigmas, of a flow, are a table of their own for the rules over sigma.
      const own = given === undefined ? tables : tableOf(given);
      const ruled = ruledSigmas({
        tables: own,
        timesteps: plain,
        rule,
        train,
        flowShift: 1,
        rounds: rule === 'karras',
        sigmaMin: config.sigma_min,
        sigmaMax: config.sigma_max,
      });
      if (rule === undefined) return gridOf(ruled.timesteps, ruled.sigmas, final_sigmas_type === 'zero' ? 0 : tables.sigmas[0]!);
      if (rule !== 'karras' || !config.use_flow_sigmas) return gridOf(ruled.timesteps, ruled.sigmas, end(ruled.sigmas));
      const flow = ruled.sigmas.map((sigma) => sigma / (sigma + 1));
      return gridOf(
        flow.map((sigma) => Math.trunc(sigma * train)),
        flow,
        end(flow),
      );
    };
    const own: UnipcOptions = {
      order: order as 1 | 2 | 3,
      variant: solver_type,
      prediction: predict_x0 ? 'x0' : 'epsilon',
      lowerOrderFinal: lower_order_final ? 'always' : 'clean',
      corrector: { except: config.disable_corrector },
    };
    return (request?: TimestepsOptions): Schedule<T> => {
      const made = request === undefined ? wholeGrid(tables) : distinct(NAME, grid(request), { order });
      const { levels, ends } = walk(made, stateSpace(config));
      const predict = lambdaPrediction(algebra, config, made.sigmas);
      const common = { ...made, initNoiseSigma: 1, missing: 'last' as const, noiseLevel: ({ index }: Place) => levels[index]! };
      if (config.solver_p === null) {
        const sampler = unipc(own);
        return { ...common, move: (call) => ({ sampler, ...ends(call) }), predict };
      }
      const predictor = nested(config.solver_p);
      if (request !== undefined) predictor.setTimesteps(made.timesteps.length);
      // The other scheduler is told the network's output as it is.
      let latest: Output<T> | undefined;
      const sampler = unipc({
        ...own,
        predictor: async <S>({ x }: PredictorStep<S>) =>
          (await predictor.step(latest!.modelOutput, latest!.call.t, x as unknown as T)).prevSample as unknown as S,
      });
      return {
        ...common,
        move: (call) => ({ sampler, ...ends(call) }),
        predict: (output) => {
          latest = output;
          return predict(output);
        },
      };
    };
  },
});

function tableOf(given: readonly number[]): { readonly sigmas: Float32Array; readonly logSigmas: Float32Array } {
  const sigmas = Float32Array.from(given).reverse();
  return { sigmas, logSigmas: logTable(sigmas) };
}

export const unipcClasses: readonly SchedulerClass[] = [unipcScheduler];
