import type { NoiseLevel } from '@langevin/core';
import { UserError } from '@langevin/tensor';
import { number } from '@langevin/tensor/fields';
import { refuse } from '../check-call.ts';
import { heun } from '../../solvers/heun.ts';
import { defineScheduler, type Context, type Schedule, type SchedulerClass, type TimestepsOptions } from '../scheduler-class.ts';
import { singleLevel } from '../x0.ts';
import { sigmaLevelOf } from './sigma-space.ts';

const NAME = 'KarrasVeScheduler';
const positive = { above: 0 };

const options = {
  sigma_min: number(0.02, positive),
  sigma_max: number(100, positive),
  s_noise: number(1.007, positive),
  s_churn: number(80, { atLeast: 0 }),
  s_min: number(0.05, { atLeast: 0 }),
  s_max: number(50, { atLeast: 0 }),
} as const;

/** The most that noise is raised by in one step, as in Algorithm 2 of the paper. */
const MAX_CHURN = Math.SQRT2 - 1;

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
    (request?: TimestepsOptions): Schedule<T> => {
      const unset = request === undefined;
      const steps = request?.numInferenceSteps ?? 2;
      if (steps < 2)
        throw new UserError(
          `[samplers/compat] ${NAME}: levels lead from sigma_max to sigma_min: numInferenceSteps=${steps}. Pass at least 2.`,
        );
      const [most, least] = [config.sigma_max ** 2, config.sigma_min ** 2];
      const levels = [...Array.from({ length: steps }, (_, i) => Math.fround(most * (least / most) ** (i / (steps - 1)))), 0].map(
        sigmaLevelOf,
      );
      const levelAt = (t: number): NoiseLevel =>
        levels[steps - 1 - t] ?? refuse(NAME, `the timestep is not one of this run: t=${t}. Pass one of scheduler.timesteps.`);
      const gamma = Math.min(config.s_churn / steps, MAX_CHURN);
      return {
        timesteps: unset ? [] : Array.from({ length: steps }, (_, i) => steps - 1 - i).flatMap((t) => (t > 0 ? [t, t] : [t])),
        sigmas: unset ? [] : levels.map(({ sigma }) => sigma),
        initNoiseSigma: config.sigma_max,
        missing: 'by-timestep',
        raise: ({ t }) => {
          const { sigma } = levelAt(t);
          const raised = sigma >= config.s_min && sigma <= config.s_max ? sigma * (1 + gamma) : sigma;
          return { at: sigmaLevelOf(raised), noise: config.s_noise * Math.sqrt(raised ** 2 - sigma ** 2) };
        },
        move: ({ t, raised }) => ({ sampler: heun(), from: raised ?? levelAt(t), to: levelAt(t - 1) }),
        predict: ({ modelOutput, question }) => ({
          denoised: algebra.linear([1, question.x], [singleLevel(question.at).sigma, modelOutput]),
        }),
      };
    },
});
