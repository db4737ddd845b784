import { UserError } from '@langevin/tensor';
import { number } from '@langevin/tensor/fields';
import { ddim } from '../../solvers/ddim.ts';
import { repaint } from '../../solvers/repaint.ts';
import { alphaBarsOf, betaOptions, betasOf } from '../betas.ts';
import { on } from '../config.ts';
import { defineScheduler, type Context, type Schedule, type SchedulerClass, type TimestepsOptions } from '../scheduler-class.ts';
import { answer, singleLevel } from '../x0.ts';
import { levelAtStep, levelOfBar, wholeChain } from './chain.ts';

const NAME = 'RePaintScheduler';

const options = { ...betaOptions({ more: ['sigmoid'] }), eta: number(0, { atLeast: 0, atMost: 1 }), clip_sample: on } as const;

/**
 * The loop over timesteps goes up and down: where a timestep is above the one before, Python's pipeline calls undo_step instead of step.
 */
export const repaintScheduler: SchedulerClass = defineScheduler({
  name: NAME,
  options,
  timestepsOptions: ['numInferenceSteps', 'jumpLength', 'jumpNSample'],
  stepOptions: ['originalImage', 'mask', 'generator', 'noise'],
  create: <T>({ config, algebra }: Context<typeof options, T>) => {
    const betas = betasOf(config);
    const levelAt = levelAtStep(NAME, alphaBarsOf(config));
    const { num_train_timesteps: train } = config;
    return (request?: TimestepsOptions): Schedule<T> => {
      const steps = Math.min(train, request?.numInferenceSteps ?? train);
      const stride = Math.floor(train / steps);
      return {
        timesteps: request === undefined ? wholeChain(train) : jumpingPath(steps, request).map((place) => place * stride),
        sigmas: [],
        initNoiseSigma: 1,
        missing: 'by-timestep',
        move: async ({ t, options: { originalImage, mask } }) => {
          if (originalImage === undefined || mask === undefined)
            throw new UserError(
              `[samplers/compat] ${NAME}: step needs originalImage and mask: `
                + `${originalImage === undefined ? 'originalImage' : 'mask'}=undefined. Pass both, the mask 1 where the image is `
                + 'known.',
            );
          const before = t - stride;
          const known = { mask: await algebra.toHost(mask), image: await algebra.toHost(originalImage) };
          // Jumps are the loop's business here.
          const sampler = repaint({
            known,
            jumpLength: steps + 1,
            jumpSamples: 1,
            base: ddim({ eta: config.eta, direction: 'unconditional' }),
          });
          return {
            sampler,
            from: levelAt({ t }),
            to: before >= 0 ? levelAt({ t: before }) : levelOfBar(1),
            forgets: true,
            draws: 1,
          };
        },
        predict: ({ modelOutput, question }) =>
          answer({
            algebra,
            prediction: 'epsilon',
            x: question.x,
            modelOutput,
            at: singleLevel(question.at),
            config: { clip_sample: config.clip_sample, clip_sample_range: 1 },
          }),
        undo: (t) => {
          levelAt({ t: t + stride - 1 });
          return Array.from({ length: stride }, (_, i) => ({ alpha: Math.sqrt(1 - betas[t + i]!), sigma: Math.sqrt(betas[t + i]!) }));
        },
      };
    };
  },
});

const MAX_PATH = 1_000_000;

/** Places of a run with jumps, from the noisiest; every jumpLength places the path goes back as many, jumpNSample - 1 times. */
function jumpingPath(steps: number, { jumpLength = 10, jumpNSample = 10 }: TimestepsOptions): number[] {
  for (const [key, value] of Object.entries({ jumpLength, jumpNSample })) {
    if (!(Number.isInteger(value) && value >= 1))
      throw new UserError(`[samplers/compat] ${NAME}: ${key} must be a positive integer: ${key}=${value}. Pass 10, as the paper.`);
  }
  if (steps * (1 + jumpNSample) > MAX_PATH)
    throw new UserError(`[samplers/compat] ${NAME}: the path is too long: ${steps} steps, each sampled ${jumpNSample} times. Pass fewer.`);
  const left = new Map<number, number>();
  for (let place = 0; place < steps - jumpLength; place += jumpLength) left.set(place, jumpNSample - 1);
  const path: number[] = [];
  for (let place = steps - 1; place >= 0; place--) {
    path.push(place);
    const jumps = left.get(place) ?? 0;
    if (jumps === 0) continue;
    left.set(place, jumps - 1);
    for (let i = 0; i < jumpLength; i++) path.push(++place);
  }
  return path;
}
