import { UserError } from '@langevin/tensor';
import { integer, number } from '@langevin/tensor/fields';
import { eulerAncestral } from '../../solvers/euler-ancestral.ts';
import { euler } from '../../solvers/euler.ts';
import { MAX_STEPS } from '../config.ts';
import { type Context, defineScheduler, type Schedule, type SchedulerClass, type TimestepsOptions } from '../scheduler-class.ts';
import { flowGrid } from '../tables/flow-grid.ts';
import { flowLevel, flowPrediction, steppingLevel } from './flow.ts';

const NAME = 'LTXEulerAncestralRFScheduler';

const ltxOptions = {
  num_train_timesteps: integer(1000, { atLeast: 1, atMost: MAX_STEPS }),
  eta: number(1, { atLeast: 0, atMost: 1 }),
  s_noise: number(1, { atLeast: 0 }),
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
          // A given list ends with a timestep that has no step: there the sample stays as it is.
          if (next === undefined) return { sampler: euler(), from: steppingLevel(0), to: steppingLevel(0) };
          // Without noise to come back up, the step stays below the next level, as there.
          const down = !noisy && eta > 0 ? next * (1 + (next / sigma - 1) * eta) : next;
          return { sampler, from: flowLevel(sigma), to: flowLevel(down) };
        },
        predict: ({ modelOutput, question, call }) => ({
          denoised: flowPrediction(algebra, { x: question.x, modelOutput, sigma: sigmas[call.index]! }),
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
        rule: undefined,
      },
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
