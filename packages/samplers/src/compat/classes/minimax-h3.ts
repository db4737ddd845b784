import { UserError } from '@langevin/tensor';
import { number } from '@langevin/tensor/fields';
import { euler } from '../../solvers/euler.ts';
import { torchLinspace } from '../float32.ts';
import { type Context, defineScheduler, type Schedule, type SchedulerClass, type TimestepsOptions } from '../scheduler-class.ts';
import { flowLevel, flowPrediction } from './flow.ts';

const NAME = 'MiniMaxH3Scheduler';
const { fround } = Math;

const miniMaxH3Options = { shift: number(12, { above: 0 }) };

/** MiniMaxH3Scheduler: Euler on a flow whose time runs from noise at 0 to the image at 1; the network predicts x0 - epsilon. */
const miniMaxH3 = defineScheduler({
  name: NAME,
  options: miniMaxH3Options,
  timestepsOptions: ['numInferenceSteps', 'sigmas'],
  create:
    <T>({ config: { shift }, algebra }: Context<typeof miniMaxH3Options, T>) =>
    (request?: TimestepsOptions): Schedule<T> => {
      const sigmas = request === undefined ? [] : sigmasOf(request, shift);
      const timesteps = sigmas.slice(0, -1).map((sigma) => fround(1 - sigma));
      return {
        timesteps,
        sigmas,
        initNoiseSigma: 1,
        move: ({ index }) => ({ sampler: euler(), from: flowLevel(sigmas[index]!), to: flowLevel(sigmas[index + 1]!) }),
        predict: ({ modelOutput, question, call }) => ({
          denoised: flowPrediction(algebra, { x: question.x, modelOutput, sigma: call.t - 1 }),
        }),
        noiseLevel: ({ t }) => flowLevel(1 - t),
      };
    },
});

function sigmasOf({ numInferenceSteps: steps, sigmas }: TimestepsOptions, shift: number): number[] {
  if (sigmas !== undefined) {
    const list = sigmas.map(fround);
    if (list.length < 2 || list.some((sigma, i) => i > 0 && !(sigma < list[i - 1]!)) || list[list.length - 1] !== 0) {
      throw new UserError(
        `[samplers/compat] ${NAME}: sigmas fall strictly to 0: sigmas=[${list.join(', ')}]. Pass at least two, the last of them 0.`,
      );
    }
    return list;
  }
  if (steps === undefined || steps < 2)
    throw new UserError(
      `[samplers/compat] ${NAME}: the number of levels counts both ends: numInferenceSteps=${steps}. Pass at least 2, or sigmas.`,
    );
  const base = torchLinspace(1, 0, steps).map((sigma) => fround(fround(shift) * sigma) / fround(1 + fround(fround(shift - 1) * sigma)));
  return [...base].filter((sigma, i) => i === 0 || sigma !== base[i - 1]);
}

export const miniMaxClasses: readonly SchedulerClass[] = [miniMaxH3];
