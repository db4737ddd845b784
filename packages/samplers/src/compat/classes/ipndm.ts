import { UserError } from '@langevin/tensor';
import { integer, list, nullable, number } from '@langevin/tensor/fields';
import { ipndm } from '../../solvers/ipndm.ts';
import { MAX_STEPS } from '../config.ts';
import { torchLinspace } from '../float32.ts';
import { defineScheduler, type Context, type Schedule, type SchedulerClass, type TimestepsOptions } from '../scheduler-class.ts';
import { singleLevel, toX0 } from '../x0.ts';

const NAME = 'IPNDMScheduler';

const options = {
  num_train_timesteps: integer(1000, { atLeast: 1, atMost: MAX_STEPS }),
  trained_betas: nullable(list([], number(0, { atLeast: 0, atMost: 1 }), { atMost: MAX_STEPS })),
} as const;

/** Its outputs are v on a schedule of its own, sigma = sin^2 of an even grid. */
export const ipndmScheduler: SchedulerClass = defineScheduler({
  name: NAME,
  options,
  unset: 'steps',
  create:
    <T>({ config, algebra }: Context<typeof options, T>) =>
    (request: TimestepsOptions = { numInferenceSteps: config.num_train_timesteps }): Schedule<T> => {
      const steps = request.numInferenceSteps!;
      const sigmas =
        config.trained_betas === null
          ? torchLinspace(1, 0, steps + 1).map((s) => Math.fround(Math.sin(Math.fround(Math.fround(s * Math.fround(Math.PI)) / 2))) ** 2)
          : Float32Array.from(config.trained_betas);
      if (sigmas.length < 2)
        throw new UserError(
          `[samplers/compat] ${NAME}: trained_betas has an entry for each step and one for the end: `
            + `trained_betas.length=${sigmas.length}. Pass at least 2.`,
        );
      const alphas = sigmas.map((sigma) => Math.sqrt(Math.fround(1 - Math.fround(sigma * sigma))));
      const levels = Array.from(sigmas, (sigma, i) => ({ alpha: alphas[i]!, sigma }));
      return {
        timesteps: levels
          .slice(0, -1)
          .map(({ alpha, sigma }) => Math.fround(Math.fround(Math.fround(Math.atan2(sigma, alpha)) / Math.fround(Math.PI)) * 2)),
        sigmas: [],
        initNoiseSigma: 1,
        move: ({ index }) => ({ sampler: ipndm(), from: levels[index]!, to: levels[index + 1]! }),
        predict: ({ modelOutput, question }) => {
          const at = singleLevel(question.at);
          // From pure noise upstream takes the state for the noise and sees no x0, whatever the network says.
          return {
            denoised:
              at.alpha === 0
                ? algebra.linear([0, question.x])
                : toX0({ algebra, prediction: 'v_prediction', x: question.x, modelOutput, at }),
          };
        },
      };
    },
});
