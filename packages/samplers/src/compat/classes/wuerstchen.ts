import type { NoiseLevel } from '@langevin/core';
import { UserError } from '@langevin/tensor';
import { number } from '@langevin/tensor/fields';
import { torchLinspace } from '../float32.ts';
import { exclusive, refuse } from '../check-call.ts';
import { defineScheduler, type Context, type Schedule, type SchedulerClass, type TimestepsOptions } from '../scheduler-class.ts';
import { answer, singleLevel } from '../x0.ts';
import { levelOfBar } from './chain.ts';
import { ddpmOf } from './ddpm.ts';

const NAME = 'DDPMWuerstchenScheduler';

const options = { scaler: number(1, { above: 0 }), s: number(0.008, { atLeast: 0 }) } as const;

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
    return (request?: TimestepsOptions): Schedule<T> => {
      const timesteps = request === undefined ? [] : timesOf(request);
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

function timesOf(request: TimestepsOptions): readonly number[] {
  exclusive(NAME, request, ['numInferenceSteps', 'timesteps']);
  const times = request.timesteps?.map(Math.fround) ?? [...torchLinspace(1, 0, request.numInferenceSteps! + 1)];
  const wrong = times.findIndex((t, i) => !(t >= 0 && t <= 1) || (i > 0 && !(t < times[i - 1]!)));
  if (wrong >= 0) refuse(NAME, `times fall strictly within 1..0: timesteps[${wrong}]=${times[wrong]}. Pass a list from 1 to 0.`);
  return times;
}
