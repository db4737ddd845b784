import { UserError } from '@langevin/tensor';
import { eulerAncestral } from '../../solvers/euler-ancestral.ts';
import { euler } from '../../solvers/euler.ts';
import { integer, MAX_STEPS, number } from '../config.ts';
import { type Context, defineScheduler, type Schedule, type SchedulerClass, type TimestepsOptions } from '../scheduler-class.ts';
import { flowGrid } from '../tables/flow-grid.ts';
import { singleLevel } from '../x0.ts';
import { flowLevel, flowPrediction } from './flow.ts';

const NAME = 'LTXEulerAncestralRFScheduler';

const ltxOptions = {
  num_train_timesteps: integer(1000, { min: 1, max: MAX_STEPS }),
  eta: number(1, { min: 0, max: 1 }),
  s_noise: number(1, { min: 0 }),
};

/** LTXEulerAncestralRFScheduler: given lists are sigmas with both ends, under either name. */
const ltx = defineScheduler({
  name: NAME,
  options: ltxOptions,
  timestepsOptions: ['numInferenceSteps', 'sigmas', 'timesteps', 'mu'],
  stepOptions: ['generator', 'noise'],
  create: <T>({ config: { num_train_timesteps: train, eta, s_noise }, algebra }: Context<typeof ltxOptions, T>) => {
    const noisy = eta > 0 && s_noise > 0;
    const sampler = noisy ? eulerAncestral({ eta, sNoise: s_noise, form: 'flow' }) : euler();
    return (request?: TimestepsOptions): Schedule<T> => {
      const { timesteps, sigmas } = request === undefined ? { timesteps: [], sigmas: [] } : gridOf(request, train);
      return {
        timesteps,
        sigmas,
        initNoiseSigma: 1,
        move: ({ index }) => {
          const [sigma, next] = [sigmas[index]!, sigmas[index + 1]];
          if (next === undefined)
            throw new UserError(
              `[samplers/compat] ${NAME}: the last sigma has no step: index=${index}. End the loop one timestep earlier.`,
            );
          // Without noise to come back up, the step stays below the next level, as there.
          const down = !noisy && eta > 0 ? next * (1 + (next / sigma - 1) * eta) : next;
          return { sampler, from: flowLevel(sigma), to: flowLevel(down) };
        },
        predict: ({ modelOutput, question }) => ({
          denoised: flowPrediction(algebra, { x: question.x, modelOutput, sigma: singleLevel(question.at).sigma }),
        }),
      };
    };
  },
});

function gridOf(request: TimestepsOptions, train: number): { readonly timesteps: readonly number[]; readonly sigmas: readonly number[] } {
  const given = request.sigmas ?? request.timesteps;
  if (given === undefined) {
    return flowGrid(
      NAME,
      {
        num_train_timesteps: train,
        shift: 1,
        use_dynamic_shifting: false,
        time_shift_type: 'exponential',
        shift_terminal: null,
        invert_sigmas: false,
      },
      undefined,
      request,
    );
  }
  const sigmas = given.map(Math.fround);
  const wrong = sigmas.findIndex((sigma, i) => !(sigma >= 0 && sigma <= 1) || (i > 0 && !(sigma < sigmas[i - 1]!)));
  if (sigmas.length < 2 || wrong >= 0)
    throw new UserError(
      `[samplers/compat] ${NAME}: sigmas fall strictly within 1..0: sigmas[${Math.max(0, wrong)}]=${sigmas[Math.max(0, wrong)]}. `
        + 'Pass at least two, both ends included.',
    );
  return { timesteps: sigmas.map((sigma) => Math.fround(sigma * train)), sigmas };
}

export const ltxClasses: readonly SchedulerClass[] = [ltx];
