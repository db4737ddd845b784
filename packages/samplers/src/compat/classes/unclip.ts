import { UserError } from '@langevin/tensor';
import { alphaBarsOf, betasOf } from '../betas.ts';
import { integer, MAX_STEPS, oneOf } from '../config.ts';
import { roundHalfEven } from '../float32.ts';
import { defineScheduler, type Context, type Schedule, type SchedulerClass, type TimestepsOptions } from '../scheduler-class.ts';
import { clipOptions, predictionOption } from '../x0.ts';
import { levelAtStep, wholeChain } from './chain.ts';
import { ancestralPrediction, cleanAfter, ddpmOf } from './ddpm.ts';

const NAME = 'UnCLIPScheduler';

const options = {
  num_train_timesteps: integer(1000, { min: 2, max: MAX_STEPS }),
  variance_type: oneOf('fixed_small_log', ['fixed_small_log', 'learned_range']),
  ...clipOptions(true),
  ...predictionOption(['epsilon', 'sample'], 'epsilon'),
  beta_schedule: oneOf('squaredcos_cap_v2', ['squaredcos_cap_v2']),
} as const;

export const unclip: SchedulerClass = defineScheduler({
  name: NAME,
  options,
  stepOptions: ['prevTimestep', 'generator', 'noise'],
  create: <T>({ config, algebra }: Context<typeof options, T>) => {
    const { variance_type: variance, num_train_timesteps: train } = config;
    const chain = { ...config, beta_start: 0, beta_end: 0, trained_betas: null };
    const alphaBars = alphaBarsOf(chain);
    const firstBeta = betasOf(chain)[0]!;
    const levelAt = levelAtStep(NAME, alphaBars);
    return (request?: TimestepsOptions): Schedule<T> => {
      const steps = request?.numInferenceSteps;
      if (steps === 1)
        throw new UserError(
          `[samplers/compat] ${NAME}: timesteps lead from one end of the chain to the other: numInferenceSteps=1. Pass at least 2.`,
        );
      const stride = (train - 1) / ((steps ?? train) - 1);
      return {
        timesteps:
          steps === undefined ? wholeChain(train) : Array.from({ length: steps }, (_, i) => roundHalfEven((steps - 1 - i) * stride)),
        sigmas: [],
        initNoiseSigma: 1,
        missing: 'by-timestep',
        move: ({ t, options: { prevTimestep = t - 1 } }) => {
          const from = levelAt({ t });
          if (prevTimestep >= 0) return { sampler: ddpmOf(variance), from, to: levelAt({ t: prevTimestep }) };
          // The weight of x0 in the last step is beta over 1 - alphaBar, which in float32 are not quite equal.
          return { sampler: ddpmOf(variance), from, to: t > 0 ? cleanAfter(t) : { alpha: firstBeta / (1 - alphaBars[0]!), sigma: 0 } };
        },
        predict: (output) => ancestralPrediction({ algebra, config, variance, output }),
        noiseLevel: levelAt,
      };
    };
  },
});
