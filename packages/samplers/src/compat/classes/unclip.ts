import type { Transition } from '@langevin/core-schedules';
import { UserError } from '@langevin/tensor';
import { integer, oneOf } from '@langevin/tensor/fields';
import { alphaBarsOf, betasOf } from '../betas.ts';
import { MAX_STEPS, on } from '../config.ts';
import { roundHalfEven } from '../float32.ts';
import { defineScheduler, type Context, type Schedule, type SchedulerClass, type TimestepsOptions } from '../scheduler-class.ts';
import { clipOptions, predictionOption } from '../x0.ts';
import { refuse } from '../check-call.ts';
import { levelAtStep, wholeChain } from './chain.ts';
import { ancestralPrediction, cleanAfter, ddpmOf } from './ddpm.ts';

const NAME = 'UnCLIPScheduler';

const options = {
  num_train_timesteps: integer(1000, { atLeast: 2, atMost: MAX_STEPS }),
  variance_type: oneOf('fixed_small_log', ['fixed_small_log', 'learned_range']),
  ...clipOptions(on),
  ...predictionOption(['epsilon', 'sample'], 'epsilon'),
  beta_schedule: oneOf('squaredcos_cap_v2', ['squaredcos_cap_v2']),
} as const;

export const unclip: SchedulerClass = defineScheduler({
  name: NAME,
  options,
  unset: 'steps',
  stepOptions: ['prevTimestep', 'generator', 'noise'],
  create: <T>({ config, algebra }: Context<typeof options, T>) => {
    const { variance_type: variance, num_train_timesteps: train } = config;
    const chain = { ...config, beta_start: 0, beta_end: 0, trained_betas: null };
    const alphaBars = alphaBarsOf(chain);
    const betas = betasOf(chain);
    const levelAt = levelAtStep(NAME, alphaBars);
    /** Between neighbours upstream takes beta from its table: in float32 it is not quite 1 - alphaBar / alphaBar'. */
    const between = (t: number) => (): Transition => {
      const [beta, bar, before] = [betas[t]!, alphaBars[t]!, alphaBars[t - 1] ?? 1];
      const share = (1 - before) / (1 - bar);
      return {
        added: beta,
        posterior: share * beta,
        xScale: Math.sqrt(1 - beta) * share,
        x0Scale: (Math.sqrt(before) * beta) / (1 - bar),
      };
    };
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
        learnsVariance: variance === 'learned_range',
        move: ({ t, options: { prevTimestep = t - 1 } }) => {
          const from = levelAt({ t });
          if (prevTimestep >= t)
            refuse(
              NAME,
              `a step leads to an earlier timestep: t=${t}, prevTimestep=${prevTimestep}. Pass the next of scheduler.timesteps.`,
            );
          const to = prevTimestep < 0 ? cleanAfter(t) : levelAt({ t: prevTimestep });
          return { sampler: ddpmOf(variance, prevTimestep === t - 1 ? { transition: between(t) } : {}), from, to };
        },
        predict: (output) => ancestralPrediction({ algebra, config, variance, output }),
        noiseLevel: levelAt,
      };
    };
  },
});
