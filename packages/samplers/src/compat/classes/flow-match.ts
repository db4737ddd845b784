import { type Algebra, defineSampler, type Sampler } from '@langevin/core';
import { UserError } from '@langevin/tensor';
import { integer, list, nullable, number, oneOf } from '@langevin/tensor/fields';
import { euler } from '../../solvers/euler.ts';
import { lcm } from '../../solvers/lcm.ts';
import { MAX_STEPS, off } from '../config.ts';
import { RESIZE_MODES, resized, scaledSize, type ResizeMode } from '../resize.ts';
import { type Call, type Context, defineScheduler, type Schedule, type SchedulerClass, type TimestepsOptions } from '../scheduler-class.ts';
import { sigmaRuleOf, sigmaRuleOptions } from '../sigma-tables.ts';
import { flowGrid, flowTable } from '../tables/flow-grid.ts';
import { singleLevel } from '../x0.ts';
import { flowLevel, flowPrediction, steppingLevel, velocityAnswer } from './flow.ts';

const options = {
  num_train_timesteps: integer(1000, { atLeast: 1, atMost: MAX_STEPS }),
  shift: number(1, { above: 0 }),
  use_dynamic_shifting: off,
  // The four that follow are read by pipelines, which compute mu from them.
  base_shift: nullable(number(0.5)),
  max_shift: nullable(number(1.15)),
  base_image_seq_len: integer(256, { atLeast: 1 }),
  max_image_seq_len: integer(4096, { atLeast: 1 }),
  invert_sigmas: off,
  shift_terminal: nullable(number(0, { atLeast: 0, atMost: 1 })),
  ...sigmaRuleOptions,
  time_shift_type: oneOf('exponential', ['exponential', 'linear']),
};

/** As FlowMatchEulerDiscrete has them: pipelines read the shift options for pixels and sequence lengths. */
const flowTimesteps = ['numInferenceSteps', 'timesteps', 'sigmas', 'mu'] as const;

const flowMatchEulerOptions = { ...options, stochastic_sampling: off };

/** FlowMatchEulerDiscreteScheduler; s_churn and its kin are taken and ignored, as there. */
const flowMatchEuler = defineScheduler({
  name: 'FlowMatchEulerDiscreteScheduler',
  options: flowMatchEulerOptions,
  unset: 'steps',
  timestepsOptions: flowTimesteps,
  stepOptions: ['generator', 'noise', 'sChurn', 'sTMin', 'sTMax', 'sNoise', 'perTokenTimesteps'],
  create: <T>({ config, algebra }: Context<typeof flowMatchEulerOptions, T>) => {
    const rule = sigmaRuleOf(config);
    const train = config.num_train_timesteps;
    const renoises = config.stochastic_sampling;
    const sampler = renoises ? lcm() : euler();
    const levelOf = renoises ? flowLevel : steppingLevel;
    // With inverted sigmas, s is the share of the image, and the network predicts x0 - epsilon.
    const inverted = config.invert_sigmas && !renoises;
    return (request?: TimestepsOptions): Schedule<T> => {
      const { timesteps, sigmas } =
        request === undefined ? startingGrid(config) : flowGrid('FlowMatchEulerDiscreteScheduler', { ...config, rule }, request);
      return {
        timesteps,
        sigmas,
        initNoiseSigma: 1,
        move: (call) => ({
          sampler: call.options.perTokenTimesteps === undefined ? sampler : tokenwise(call.options.perTokenTimesteps, { sigmas, train }),
          from: levelOf(sigmas[call.index]!),
          to: levelOf(sigmas[call.index + 1]!),
          draws: renoises ? 1 : 0,
        }),
        predict: ({ modelOutput, question: { x }, call }) => {
          if (call.options.perTokenTimesteps !== undefined)
            return { denoised: tokenwisePrediction(algebra, { x, modelOutput, call, train }) };
          const sigma = sigmas[call.index]!;
          if (renoises) return { denoised: flowPrediction(algebra, { x, modelOutput, sigma }) };
          const told = velocityAnswer(algebra, { x, modelOutput, sigma });
          return inverted ? { ...told, shown: flowPrediction(algebra, { x, modelOutput, sigma: sigma - 1 }) } : told;
        },
        noiseLevel: ({ index }) => flowLevel(sigmas[index]!),
      };
    };
  },
});

const flowMatchLcmOptions = {
  ...options,
  scale_factors: nullable(list([], number(1, { above: 0, atMost: MAX_STEPS }), { atMost: MAX_STEPS })),
  upscale_mode: oneOf('bicubic', Object.keys(RESIZE_MODES) as ResizeMode[]),
};

/** FlowMatchLCMScheduler; to resize predictions between steps, it is told the shape of the sample that step is passed. */
const flowMatchLcm = defineScheduler({
  name: 'FlowMatchLCMScheduler',
  options: flowMatchLcmOptions,
  unset: 'steps',
  timestepsOptions: flowTimesteps,
  stepOptions: ['generator', 'noise', 'shape'],
  create: <T>({ config, algebra }: Context<typeof flowMatchLcmOptions, T>) => {
    const rule = sigmaRuleOf(config);
    const factors = config.scale_factors ?? [];
    return (request?: TimestepsOptions): Schedule<T> => {
      const { timesteps, sigmas } =
        request === undefined ? startingGrid(config) : flowGrid('FlowMatchLCMScheduler', { ...config, rule }, request);
      const resize = async (x0: T, { index, first, options: { shape } }: Call<T>): Promise<T> => {
        if (factors.length === 0) return x0;
        if (timesteps.length !== factors.length + 1)
          throw new UserError(
            '[samplers/compat] FlowMatchLCMScheduler: there is a factor for every step but the last: scale_factors has '
              + `${factors.length} entries, the run ${timesteps.length} timesteps. Pass ${factors.length + 1} steps.`,
          );
        if (shape === undefined || shape.length < 3 || shape.reduce((product, each) => product * each, 1) !== algebra.size(x0))
          throw new UserError(
            '[samplers/compat] FlowMatchLCMScheduler: predictions are resized by scale_factors, which takes their shape: '
              + `shape=${shape === undefined ? 'undefined' : `[${shape.join(', ')}]`}, sample of ${algebra.size(x0)} elements. Pass `
              + 'step the shape [N, C, ...] of its sample.',
          );
        const factor = factors[index];
        if (factor === undefined) return x0;
        // Factors are of the size at the first step of the run.
        const size = scaledSize((first.shape ?? shape).slice(2), factor);
        return algebra.fromHost(resized(await algebra.toHost(x0), shape, { size, mode: config.upscale_mode }), x0, [
          ...shape.slice(0, 2),
          ...size,
        ]);
      };
      return {
        timesteps,
        sigmas,
        initNoiseSigma: 1,
        move: ({ index }) => ({ sampler: lcm(), from: flowLevel(sigmas[index]!), to: flowLevel(sigmas[index + 1]!), draws: 1 }),
        predict: async ({ modelOutput, question, call }) => ({
          denoised: await resize(flowPrediction(algebra, { x: question.x, modelOutput, sigma: singleLevel(question.at).sigma }), call),
        }),
        noiseLevel: ({ index }) => flowLevel(sigmas[index]!),
      };
    };
  },
});

function startingGrid(config: { readonly num_train_timesteps: number; readonly shift: number; readonly use_dynamic_shifting: boolean }): {
  readonly timesteps: readonly number[];
  readonly sigmas: readonly number[];
} {
  const table = flowTable(config);
  return { timesteps: [...table.map((sigma) => sigma * config.num_train_timesteps)], sigmas: [...table] };
}

interface TokenGrid {
  readonly sigmas: readonly number[];
  readonly train: number;
}

/**
 * Euler's step with a sigma for each token of [B, tokens, C], to the greatest of the run's sigmas below it. The network's output is epsilon
 * - x0 with its sign turned, as LTX's pipelines pass it.
 */
function tokenwise(perToken: readonly number[], { sigmas, train }: TokenGrid): Sampler {
  const ratios = perToken.map((t) => {
    const sigma = t / train;
    const next = Math.max(0, ...sigmas.filter((each) => each < sigma - 1e-6));
    return sigma === 0 ? 1 : next / sigma;
  });
  return defineSampler({
    name: 'euler per token',
    order: 1,
    stochastic: false,
    paper: 'arXiv:2206.00364, Algorithm 1',
    step: async ({ x, from, denoise, algebra }) => {
      const denoised = await denoise(x, from);
      const kept = spread(algebra, ratios, x);
      const dropped = spread(
        algebra,
        ratios.map((ratio) => 1 - ratio),
        x,
      );
      return { x: algebra.linear([1, algebra.multiply(kept, x)], [1, algebra.multiply(dropped, denoised)]), denoised };
    },
  });
}

function tokenwisePrediction<T>(
  algebra: Algebra<T>,
  { x, modelOutput, call, train }: { readonly x: T; readonly modelOutput: T; readonly call: Call<T>; readonly train: number },
): T {
  const sigmas = (call.options.perTokenTimesteps ?? []).map((t) => t / train);
  return algebra.linear([1, x], [1, algebra.multiply(spread(algebra, sigmas, x), modelOutput)]);
}

/** A number for each token as a state, each repeated over its channels. */
function spread<T>(algebra: Algebra<T>, values: readonly number[], like: T): T {
  const channels = algebra.size(like) / values.length;
  if (!Number.isInteger(channels))
    throw new UserError(
      `[samplers/compat] FlowMatchEulerDiscreteScheduler: tokens do not divide the state: perTokenTimesteps has ${values.length} `
        + `entries, the state ${algebra.size(like)} elements. Pass one for each token of each item.`,
    );
  return algebra.fromHost(
    Float64Array.from({ length: algebra.size(like) }, (_, i) => values[Math.floor(i / channels)]!),
    like,
  );
}

export const flowMatchClasses: readonly SchedulerClass[] = [flowMatchEuler, flowMatchLcm];
