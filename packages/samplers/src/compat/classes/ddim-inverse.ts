import type { NoiseLevel } from '@langevin/core';
import { oneOf } from '@langevin/tensor/fields';
import { ddim } from '../../solvers/ddim.ts';
import { alphaBarsOf, betaOptions, zeroSnrOption } from '../betas.ts';
import { on } from '../config.ts';
import { defineScheduler, type Context, type Schedule, type SchedulerClass, type TimestepsOptions } from '../scheduler-class.ts';
import { clipOptions, limited, predictionOption, toEpsilon, toX0 } from '../x0.ts';
import { barAt, chainTimesteps, levelOfBar, spacingOptions, wholeChain } from './chain.ts';

const NAME = 'DDIMInverseScheduler';

const options = {
  ...betaOptions(),
  ...zeroSnrOption,
  ...clipOptions(on),
  ...predictionOption(['epsilon', 'sample', 'v_prediction'], 'epsilon'),
  ...spacingOptions('leading'),
  timestep_spacing: oneOf('leading', ['leading', 'trailing']),
  set_alpha_to_one: on,
} as const;

/**
 * The level at which the solver believes to begin. Inversion leaves the clean end of the chain, where x0 does not tell the noise, so
 * the solver is told the noise itself: as the unlimited prediction x - epsilon of this level.
 */
const TOLD: NoiseLevel = { alpha: 1, sigma: 1 };

export const ddimInverse: SchedulerClass = defineScheduler({
  name: NAME,
  options,
  create: <T>({ config, algebra }: Context<typeof options, T>) => {
    const { num_train_timesteps: train, prediction_type: prediction } = config;
    const alphaBars = alphaBarsOf(config);
    const initial = config.set_alpha_to_one ? 1 : alphaBars[0]!;
    return (request?: TimestepsOptions): Schedule<T> => {
      const steps = request?.numInferenceSteps;
      const before = (t: number): NoiseLevel => {
        const place = Math.min(t - Math.floor(train / (steps ?? train)), train - 1);
        return levelOfBar(place >= 0 ? barAt(NAME, alphaBars, place) : initial);
      };
      return {
        timesteps: (steps === undefined ? wholeChain(train) : chainTimesteps(NAME, config, steps)).reverse(),
        sigmas: [],
        initNoiseSigma: 1,
        missing: 'by-timestep',
        move: ({ t }) => ({ sampler: ddim({ direction: 'unconditional' }), from: TOLD, to: levelOfBar(barAt(NAME, alphaBars, t)) }),
        predict: async ({ modelOutput, question, call }) => {
          const given = { algebra, prediction, x: question.x, modelOutput, at: before(call.t) };
          return {
            denoised: await limited(algebra, toX0(given), config),
            unconditional: algebra.linear([1, question.x], [-1, toEpsilon(given)]),
          };
        },
      };
    };
  },
});
