import { type NoiseLevel, relativeSigma } from '@langevin/core';
import { integer, nullable } from '@langevin/tensor/fields';
import { brownianTreeNoise } from '../../noise/brownian-tree-noise.ts';
import { dpmppSde } from '../../solvers/dpmpp-sde.ts';
import { defineScheduler, type Context, type Schedule, type SchedulerClass, type TimestepsOptions } from '../scheduler-class.ts';
import { sigmaToTime } from '../sigma-tables.ts';
import { predictionOption } from '../x0.ts';
import { doubled } from './heun.ts';
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
  noise_sampler_seed: nullable(integer(0, { atLeast: 0, atMost: Number.MAX_SAFE_INTEGER })),
} as const;

/** Without noise_sampler_seed Python draws a seed of its own; here noise is always asked for. */
export const dpmSolverSde: SchedulerClass = defineScheduler({
  name: 'DPMSolverSDEScheduler',
  order: 2,
  options,
  unset: 'steps',
  timestepsOptions: ['numInferenceSteps', 'numTrainTimesteps'],
  stepOptions: ['sNoise', 'generator', 'noise', 'seed'],
  create: <T>({ config, algebra }: Context<typeof options, T>) => {
    const rule = sigmaRuleOf(config);
    const chain = sigmaChain(config);
    return (request: TimestepsOptions = { numInferenceSteps: config.num_train_timesteps }): Schedule<T> => {
      const wanted = sigmaSpaceTimesteps(config, {
        train: request.numTrainTimesteps ?? config.num_train_timesteps,
        steps: request.numInferenceSteps!,
        round: (t) => t,
      });
      const grid = sigmaGrid({ chain, timesteps: wanted, rule });
      const once = grid.sigmas.slice(0, -1);
      const sigmas = [...doubled(once), 0];
      // The middle of a step in log sigma, where its second evaluation is.
      const middles = grid.between.slice(1).map((sigma, i) => sigmaToTime(Math.sqrt(sigma * grid.between[i]!), chain.logTable));
      const ends = { sigmaMin: once.at(-1)!, sigmaMax: once[0]! };
      const time = pathTimes(once, ends);
      const path = (seed: number | bigint | readonly (number | bigint)[]) => brownianTreeNoise({ seed, ...ends, time });
      return {
        ...sigmaSpaceSchedule({ algebra, config, sigmas }),
        timesteps: grid.timesteps.flatMap((t, i) => (i === 0 ? [t] : [middles[i - 1]!, t])),
        move: ({ index, options: { sNoise = 1 } }) => ({
          sampler: dpmppSde({ sNoise }),
          from: sigmaLevelOf(sigmas[index]!),
          to: sigmaLevelOf(sigmas[index + 1]!),
        }),
        ...(config.noise_sampler_seed === null || once.length < 2 ? {} : { noise: path(config.noise_sampler_seed) }),
        noiseFrom: ({ options: { seed } }) => (seed === undefined ? undefined : path(seed)),
        later: 'prediction',
      };
    };
  },
});

/**
 * The times at which upstream reads the Brownian path: sigmas through float32 logarithms and back, where a digit that is lost moves the
 * path by its square root.
 */
function pathTimes(
  sigmas: readonly number[],
  { sigmaMin, sigmaMax }: { readonly sigmaMin: number; readonly sigmaMax: number },
): (level: NoiseLevel) => number {
  const { fround, exp, log } = Math;
  const logs = sigmas.map((sigma) => fround(log(sigma)));
  const middles = logs.slice(1).map((next, i) => fround(logs[i]! + fround(fround(next - logs[i]!) / 2)));
  const times = [...logs, ...middles].map((value) => Math.min(sigmaMax, Math.max(sigmaMin, fround(exp(value)))));
  return (level) => {
    const sigma = relativeSigma(level);
    return times.reduce((nearest, each) => (Math.abs(each - sigma) < Math.abs(nearest - sigma) ? each : nearest));
  };
}
