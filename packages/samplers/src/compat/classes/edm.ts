import type { Algebra, NoiseLevel, NoiseSource, Sampler } from '@langevin/core';
import { UserError } from '@langevin/tensor';
import { integer, number, oneOf } from '@langevin/tensor/fields';
import { brownianTreeNoise } from '../../noise/brownian-tree-noise.ts';
import { euler } from '../../solvers/euler.ts';
import { MAX_STEPS, off, on } from '../config.ts';
import {
  type Call,
  type Context,
  defineScheduler,
  type Output,
  type Schedule,
  type SchedulerClass,
  type TimestepsOptions,
} from '../scheduler-class.ts';
import {
  atanConditioning,
  exponentialInFloat32,
  karrasInFloat32,
  karrasOverRamp,
  logConditioning,
  unitRamp,
  type EdmEnds,
  type EdmSchedule,
} from '../tables/edm-grid.ts';
import { limited, singleLevel, thresholdingOptions } from '../x0.ts';
import { lowerOrderRule, multistepSolver } from './multistep.ts';
import { aliased } from './remapped.ts';

const positive = (fallback: number) => number(fallback, { above: 0, atMost: 1e9 });

function gridOptions(defaults: {
  readonly min: number;
  readonly max: number;
  readonly data: number;
  readonly schedule: EdmSchedule;
  readonly prediction: 'epsilon' | 'v_prediction';
}) {
  return {
    sigma_min: positive(defaults.min),
    sigma_max: positive(defaults.max),
    sigma_data: positive(defaults.data),
    sigma_schedule: oneOf<EdmSchedule>(defaults.schedule, ['karras', 'exponential']),
    num_train_timesteps: integer(1000, { atLeast: 1, atMost: MAX_STEPS }),
    prediction_type: oneOf<'epsilon' | 'v_prediction'>(defaults.prediction, ['epsilon', 'v_prediction']),
    rho: positive(7),
    final_sigmas_type: oneOf('zero', ['zero', 'sigma_min']),
  };
}

const edmLevel = (sigma: number): NoiseLevel => ({ alpha: 1, sigma });

/** EDM's preconditioning of the output (Karras et al. 2022, table 1); with v, c_out has the other sign. */
function preconditioned<T>(
  algebra: Algebra<T>,
  { sigma_data: data, prediction_type }: { readonly sigma_data: number; readonly prediction_type: 'epsilon' | 'v_prediction' },
  { modelOutput, question }: Output<T>,
): T {
  const { sigma } = singleLevel(question.at);
  const total = Math.hypot(sigma, data);
  const out = (sigma * data) / total;
  return algebra.linear([(data / total) ** 2, question.x], [prediction_type === 'epsilon' ? out : -out, modelOutput]);
}

const edmEulerOptions = gridOptions({ min: 0.002, max: 80, data: 0.5, schedule: 'karras', prediction: 'epsilon' });

/** EDMEulerScheduler: Euler steps with churn (Karras et al. 2022, arXiv:2206.00364, Algorithm 2). */
const edmEuler = defineScheduler({
  name: 'EDMEulerScheduler',
  options: edmEulerOptions,
  unset: 'steps',
  timestepsOptions: ['numInferenceSteps', 'sigmas'],
  stepOptions: ['sChurn', 'sTMin', 'sTMax', 'sNoise', 'generator', 'noise', 'predOriginalSample'],
  create:
    <T>({ config, algebra }: Context<typeof edmEulerOptions, T>) =>
    (request?: TimestepsOptions): Schedule<T> => {
      // Given sigmas are places of a ramp from 0 to 1, as there.
      const ramp =
        request === undefined
          ? Array.from({ length: config.num_train_timesteps + 1 }, (_, i) => i / config.num_train_timesteps)
          : (request.sigmas ?? unitRamp(request.numInferenceSteps ?? 0));
      if (ramp.length === 0)
        throw new UserError(
          '[samplers/compat] EDMEulerScheduler: nothing says how many steps there are: numInferenceSteps=undefined. Pass it, or sigmas.',
        );
      const table = config.sigma_schedule === 'karras' ? karrasOverRamp(ramp, config) : exponentialInFloat32(ramp.length, config);
      const sigmas = [...table, config.final_sigmas_type === 'zero' ? 0 : table[table.length - 1]!];
      const levels = sigmas.map(edmLevel);
      return {
        timesteps: logConditioning(table),
        sigmas,
        initNoiseSigma: Math.hypot(config.sigma_max, 1),
        inputScale: ({ index }) => 1 / Math.hypot(sigmas[index]!, config.sigma_data),
        move: ({ index, options: { sChurn = 0, sTMin = 0, sTMax = Infinity, sNoise = 1 } }) => ({
          sampler: euler({ sChurn, sTMin, sTMax, sNoise }),
          from: levels[index]!,
          to: levels[index + 1]!,
          index,
          levels,
        }),
        predict: (output) => ({ denoised: output.call.options.predOriginalSample ?? preconditioned(algebra, config, output) }),
        noiseLevel: ({ index }) => levels[index]!,
      };
    },
});

const multistepOptions = {
  solver_order: integer(2, { atLeast: 1, atMost: 3 }),
  solver_type: aliased('midpoint', ['midpoint', 'heun'], ['logrho', 'bh1', 'bh2']),
  lower_order_final: on,
  euler_at_final: off,
};

interface EdmMultistepConfig extends EdmEnds {
  readonly sigma_schedule: EdmSchedule;
  readonly num_train_timesteps: number;
  readonly final_sigmas_type: 'zero' | 'sigma_min';
}

/** Sigmas with the end of the last step. */
function multistepGrid(config: EdmMultistepConfig, steps: number | undefined): { readonly table: Float32Array; readonly sigmas: number[] } {
  const count = steps ?? config.num_train_timesteps;
  const table = config.sigma_schedule === 'karras' ? karrasInFloat32(count, config) : exponentialInFloat32(count, config);
  return { table, sigmas: [...table, steps !== undefined && config.final_sigmas_type === 'sigma_min' ? Math.fround(config.sigma_min) : 0] };
}

/**
 * A step to the sigma it begins at: the last one where final_sigmas_type repeats sigma_min. Methods with noise or slopes over its length
 * have no value there.
 */
function refuseEmptyStep(
  name: string,
  { sampler, from, to, slopes }: { readonly sampler: Sampler; readonly from: number; readonly to: number; readonly slopes: boolean },
): void {
  if (to < from || (!sampler.stochastic && !(slopes && to === from))) return;
  throw new UserError(
    `[samplers/compat] ${name}: the last step has no length: it leads from sigma=${from} to sigma=${to}. Set final_sigmas_type to "zero".`,
  );
}

const edmDpmSolverOptions = {
  ...gridOptions({ min: 0.002, max: 80, data: 0.5, schedule: 'karras', prediction: 'epsilon' }),
  ...multistepOptions,
  ...thresholdingOptions,
  algorithm_type: oneOf('dpmsolver++', ['dpmsolver++', 'sde-dpmsolver++']),
};

/** EDMDPMSolverMultistepScheduler: DPM-Solver++ on EDM's grid. */
const edmDpmSolver = defineScheduler({
  name: 'EDMDPMSolverMultistepScheduler',
  options: edmDpmSolverOptions,
  stepOptions: ['generator', 'noise'],
  create: <T>({ config, algebra }: Context<typeof edmDpmSolverOptions, T>) => {
    const order = config.solver_order as 1 | 2 | 3;
    if (config.algorithm_type === 'sde-dpmsolver++' && order === 3)
      throw new UserError(
        '[samplers/compat] EDMDPMSolverMultistepScheduler: there is no third-order rule with noise: '
          + 'algorithm_type="sde-dpmsolver++", solver_order=3. Set solver_order to 2.',
      );
    return (request?: TimestepsOptions): Schedule<T> => {
      const { table, sigmas } = multistepGrid(config, request?.numInferenceSteps);
      const levels = sigmas.map(edmLevel);
      const sampler = multistepSolver({
        algorithm: config.algorithm_type,
        order,
        solverType: config.solver_type,
        lowerOrderFinal: lowerOrderRule(config, table.length),
      });
      const slopes = table.length >= 15 && order > 1 && (config.solver_type === 'heun' || order === 3) && !config.euler_at_final;
      return {
        timesteps: logConditioning(table),
        sigmas,
        initNoiseSigma: Math.hypot(config.sigma_max, 1),
        inputScale: ({ index }) => 1 / Math.hypot(sigmas[index]!, config.sigma_data),
        move: ({ index }) => {
          refuseEmptyStep('EDMDPMSolverMultistepScheduler', { sampler, from: sigmas[index]!, to: sigmas[index + 1]!, slopes });
          return { sampler, from: levels[index]!, to: levels[index + 1]!, index, levels, draws: sampler.stochastic ? 1 : 0 };
        },
        missing: 'last',
        predict: async (output) => ({ denoised: await limited(algebra, preconditioned(algebra, config, output), config) }),
        noiseLevel: ({ index }) => levels[index]!,
      };
    };
  },
});

const cosineDpmSolverOptions = {
  ...gridOptions({ min: 0.3, max: 500, data: 1, schedule: 'exponential', prediction: 'v_prediction' }),
  ...multistepOptions,
  solver_order: integer(2, { atLeast: 1, atMost: 2 }),
};

/** CosineDPMSolverMultistepScheduler, of Stable Audio: DPM-Solver++(2M) with the noise of a Brownian path. */
const cosineDpmSolver = defineScheduler({
  name: 'CosineDPMSolverMultistepScheduler',
  options: cosineDpmSolverOptions,
  stepOptions: ['seed', 'noise'],
  create:
    <T>({ config, algebra }: Context<typeof cosineDpmSolverOptions, T>) =>
    (request?: TimestepsOptions): Schedule<T> => {
      const { table, sigmas } = multistepGrid(config, request?.numInferenceSteps);
      const levels = sigmas.map(edmLevel);
      const sampler = multistepSolver({
        algorithm: 'sde-dpmsolver++',
        order: config.solver_order as 1 | 2,
        solverType: config.solver_type,
        lowerOrderFinal: lowerOrderRule(config, table.length),
      });
      return {
        timesteps: atanConditioning(table),
        sigmas,
        initNoiseSigma: Math.hypot(config.sigma_max, 1),
        inputScale: ({ index }) => 1 / Math.hypot(sigmas[index]!, config.sigma_data),
        move: ({ index }) => {
          refuseEmptyStep('CosineDPMSolverMultistepScheduler', { sampler, from: sigmas[index]!, to: sigmas[index + 1]!, slopes: false });
          return { sampler, from: levels[index]!, to: levels[index + 1]!, index, levels };
        },
        missing: 'last',
        predict: (output) => ({ denoised: preconditioned(algebra, config, output) }),
        noiseLevel: ({ index }) => levels[index]!,
        noiseFrom: pathOf(config),
      };
    },
});

/** One path for the run: that of the seed of its first call. */
function pathOf({ sigma_min, sigma_max }: EdmEnds): (call: Call<unknown>) => NoiseSource | undefined {
  // The grid is float32, and its ends may lie outside of the path's by a rounding.
  const time = ({ alpha, sigma }: NoiseLevel): number => Math.min(Math.max(sigma / alpha, sigma_min), sigma_max);
  return ({ first, options }) => {
    const seed = first.seed ?? options.seed;
    return seed === undefined ? undefined : brownianTreeNoise({ seed, sigmaMin: sigma_min, sigmaMax: sigma_max, time });
  };
}

export const edmClasses: readonly SchedulerClass[] = [edmEuler, edmDpmSolver, cosineDpmSolver];
