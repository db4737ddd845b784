import { CLEAN, type NoiseLevel } from '@langevin/core';
import { integer, number } from '@langevin/tensor/fields';
import { lcm } from '../../solvers/lcm.ts';
import { alphaBarsOf } from '../betas.ts';
import { refuse } from '../check-call.ts';
import { MAX_STEPS } from '../config.ts';
import { defineScheduler, type Context, type Schedule, type SchedulerClass, type TimestepsOptions } from '../scheduler-class.ts';

const NAME = 'ConsistencyDecoderScheduler';
const { fround, sqrt } = Math;

/** The only timesteps that upstream has. */
const TIMESTEPS = [1008, 512];

const options = {
  num_train_timesteps: integer(1024, { atLeast: 1009, atMost: MAX_STEPS }),
  sigma_data: number(0.5, { above: 0 }),
} as const;

/** The two-step decoder of latents that OpenAI distilled for Stable Diffusion: EDM's preconditioning over a cosine chain. */
export const consistencyDecoder: SchedulerClass = defineScheduler({
  name: NAME,
  options,
  stepOptions: ['generator', 'noise'],
  create: <T>({ config, algebra }: Context<typeof options, T>) => {
    const alphaBars = alphaBarsOf({ ...config, beta_start: 0, beta_end: 0, beta_schedule: 'squaredcos_cap_v2', trained_betas: null });
    const levelAt = (t: number): NoiseLevel => ({ alpha: fround(sqrt(alphaBars[t]!)), sigma: fround(sqrt(fround(1 - alphaBars[t]!))) });
    const data = fround(config.sigma_data ** 2);
    /** Factors in float32, as upstream keeps them in tables. */
    const factors = (t: number) => {
      const inverse = fround(1 / alphaBars[t]!);
      const [sigma, scale] = [fround(sqrt(fround(inverse - 1))), fround(sqrt(inverse))];
      const total = fround(fround(sigma * sigma) + data);
      return {
        skip: fround(fround(scale * data) / total),
        out: fround(fround(sigma * fround(config.sigma_data)) / fround(sqrt(total))),
        input: fround(scale / fround(sqrt(total))),
      };
    };
    return (request?: TimestepsOptions): Schedule<T> => {
      if (request !== undefined && request.numInferenceSteps !== 2)
        refuse(NAME, `the decoder has two steps: numInferenceSteps=${request.numInferenceSteps}. Pass 2.`);
      return {
        timesteps: request === undefined ? [] : TIMESTEPS,
        sigmas: [],
        initNoiseSigma: request === undefined ? 1 : levelAt(TIMESTEPS[0]!).sigma,
        inputScale: ({ index }) => factors(TIMESTEPS[index]!).input,
        move: ({ index }) => ({ sampler: lcm(), from: levelAt(TIMESTEPS[index]!), to: index === 0 ? levelAt(TIMESTEPS[1]!) : CLEAN }),
        predict: ({ modelOutput, question, call }) => {
          const { skip, out } = factors(TIMESTEPS[call.index]!);
          return { denoised: algebra.linear([out, modelOutput], [skip, question.x]) };
        },
      };
    };
  },
});
