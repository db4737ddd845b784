import { UserError } from '@langevin/tensor';
import { heun } from '../../solvers/heun.ts';
import { number } from '../config.ts';
import { defineScheduler, type Context, type Schedule, type SchedulerClass, type TimestepsOptions } from '../scheduler-class.ts';
import { singleLevel } from '../x0.ts';
import { sigmaLevelOf } from './sigma-space.ts';

const NAME = 'KarrasVeScheduler';
const positive = { min: Number.MIN_VALUE };

const options = {
  sigma_min: number(0.02, positive),
  sigma_max: number(100, positive),
  s_noise: number(1.007, positive),
  s_churn: number(80, { min: 0 }),
  s_min: number(0.05, { min: 0 }),
  s_max: number(50, { min: 0 }),
} as const;

/**
 * addNoiseToInput gives the state that the network is shown and step is passed; a second call of step for the same timestep stands for
 * Python's step_correct, whose input addNoiseToInput gives as well. Levels are squares of sigmas, as upstream has them.
 */
export const karrasVe: SchedulerClass = defineScheduler({
  name: NAME,
  order: 2,
  options,
  stepOptions: ['generator', 'noise'],
  create:
    <T>({ config, algebra }: Context<typeof options, T>) =>
    (request: TimestepsOptions = { numInferenceSteps: 2 }): Schedule<T> => {
      const steps = request.numInferenceSteps!;
      if (steps < 2)
        throw new UserError(
          `[samplers/compat] ${NAME}: levels lead from sigma_max to sigma_min: numInferenceSteps=${steps}. Pass at least 2.`,
        );
      const [most, least] = [config.sigma_max ** 2, config.sigma_min ** 2];
      const levels = [...Array.from({ length: steps }, (_, i) => Math.fround(most * (least / most) ** (i / (steps - 1)))), 0].map(
        sigmaLevelOf,
      );
      const sampler = heun({
        sChurn: config.s_churn,
        sTMin: config.s_min,
        sTMax: Math.max(config.s_max, config.s_min),
        sNoise: config.s_noise,
      });
      return {
        timesteps: Array.from({ length: steps }, (_, i) => steps - 1 - i).flatMap((t) => (t > 0 ? [t, t] : [t])),
        sigmas: levels.map(({ sigma }) => sigma),
        initNoiseSigma: config.sigma_max,
        missing: 'by-timestep',
        showsQuestions: true,
        move: ({ t }) => {
          const index = steps - 1 - t;
          const from = levels[index]!;
          const churns = config.s_churn > 0 && from.sigma >= config.s_min && from.sigma <= config.s_max;
          return { sampler, from, to: levels[index + 1]!, index, levels, unusedDraws: churns ? 0 : 1 };
        },
        predict: ({ modelOutput, question }) => ({
          denoised: algebra.linear([1, question.x], [singleLevel(question.at).sigma, modelOutput]),
        }),
      };
    },
});
