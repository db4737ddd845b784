import type { NoiseLevel } from '@langevin/core-schedules';
import { UserError } from '@langevin/tensor';
import { number } from '../config.ts';
import { torchLinspace } from '../float32.ts';
import { exclusive } from '../request.ts';
import { defineScheduler, type Context, type Schedule, type SchedulerClass, type TimestepsOptions } from '../scheduler-class.ts';
import { answer, singleLevel } from '../x0.ts';
import { levelOfBar } from './chain.ts';
import { ddpmOf } from './ddpm.ts';

const NAME = 'DDPMWuerstchenScheduler';

const options = { scaler: number(1, { min: Number.MIN_VALUE }), s: number(0.008, { min: 0 }) } as const;

/** A continuous cosine schedule over times from 1 to 0; the last of its timesteps is where the run ends, not a step. */
export const ddpmWuerstchen: SchedulerClass = defineScheduler({
  name: NAME,
  options,
  timestepsOptions: ['numInferenceSteps', 'timesteps'],
  stepOptions: ['generator', 'noise'],
  create: <T>({ config, algebra }: Context<typeof options, T>) => {
    const offset = Math.fround(config.s);
    const signal = (t: number): number => Math.cos(((t + offset) / (1 + offset)) * Math.PI * 0.5) ** 2;
    const atZero = Math.fround(signal(0));
    const levelAt = ({ t }: { readonly t: number }): NoiseLevel => {
      const warped = config.scaler > 1 ? 1 - (1 - t) ** config.scaler : t ** config.scaler;
      return levelOfBar(Math.min(0.9999, Math.max(0.0001, signal(warped) / atZero)));
    };
    return (request: TimestepsOptions = { timesteps: [1, 0] }): Schedule<T> => {
      exclusive(NAME, request, ['numInferenceSteps', 'timesteps']);
      const timesteps = request.timesteps?.map(Math.fround) ?? [...torchLinspace(1, 0, request.numInferenceSteps! + 1)];
      if (timesteps.some((t) => t < 0 || t > 1))
        throw new UserError(
          `[samplers/compat] ${NAME}: times are in 0..1: timesteps=[${timesteps.slice(0, 5).join(', ')}...]. Pass a falling list `
            + 'from 1 to 0.',
        );
      return {
        timesteps,
        sigmas: [],
        initNoiseSigma: 1,
        missing: 'by-timestep',
        move: ({ t }) => {
          const after = timesteps[timesteps.indexOf(t) + 1];
          if (!timesteps.includes(t) || after === undefined)
            throw new UserError(
              `[samplers/compat] ${NAME}: a step leads from one of its timesteps to the next: t=${t}. Pass one of `
                + 'scheduler.timesteps but the last.',
            );
          return { sampler: ddpmOf('fixed_small'), from: levelAt({ t }), to: levelAt({ t: after }), silent: after === 0 };
        },
        predict: ({ modelOutput, question }) =>
          answer({ algebra, prediction: 'epsilon', x: question.x, modelOutput, at: singleLevel(question.at), config: {} }),
        noiseLevel: levelAt,
      };
    };
  },
});
