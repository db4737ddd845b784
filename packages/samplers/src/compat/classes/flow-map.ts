import { UserError } from '@langevin/tensor';
import { integer, number } from '@langevin/tensor/fields';
import { euler } from '../../solvers/euler.ts';
import { MAX_STEPS } from '../config.ts';
import { linspace } from '../float32.ts';
import { type Context, defineScheduler, type Schedule, type SchedulerClass, type TimestepsOptions } from '../scheduler-class.ts';
import { shifted } from '../tables/lambda-grid.ts';
import { flowLevel, steppingLevel, velocityAnswer } from './flow.ts';

const NAME = 'FlowMapEulerDiscreteScheduler';

/** Timesteps of the run are met within this. */
const NEAR = 1e-3;

const flowMapOptions = { num_train_timesteps: integer(1000, { atLeast: 1, atMost: MAX_STEPS }), shift: number(1, { above: 0 }) };

/** FlowMapEulerDiscreteScheduler: the network gives the mean velocity from t to a chosen r, so that a step may lead anywhere. */
const flowMap = defineScheduler({
  name: NAME,
  options: flowMapOptions,
  unset: 'steps',
  timestepsOptions: ['numInferenceSteps', 'sigmas', 'timesteps'],
  stepOptions: ['rTimestep'],
  create:
    <T>({ config: { num_train_timesteps: train, shift }, algebra }: Context<typeof flowMapOptions, T>) =>
    (request: TimestepsOptions = { numInferenceSteps: train }): Schedule<T> => {
      const plain = plainSigmas(request, train);
      const sigmas = [...(shift === 1 ? plain : plain.map((sigma) => shifted(sigma, shift))), 0];
      const timesteps = sigmas.slice(0, -1).map((sigma) => sigma * train);
      const nearest = (t: number): number => {
        const distances = timesteps.map((each) => Math.abs(Math.fround(each) - t));
        const least = distances.reduce((a, b) => Math.min(a, b));
        return least > NEAR ? -1 : distances.indexOf(least);
      };
      const sigmaAt = (t: number): number => sigmas[nearest(t)] ?? t / train;
      return {
        timesteps,
        sigmas,
        initNoiseSigma: 1,
        missing: 'by-timestep',
        countFrom: (t) => Math.max(0, nearest(t)),
        move: ({ t, options: { rTimestep } }) => {
          const index = nearest(t);
          if (rTimestep === undefined && index < 0)
            throw new UserError(
              `[samplers/compat] ${NAME}: the timestep is none of the run, so nothing says where the step leads: t=${t}, `
                + 'rTimestep=undefined. Pass rTimestep, or one of scheduler.timesteps.',
            );
          return {
            sampler: euler(),
            from: steppingLevel(sigmaAt(t)),
            to: steppingLevel(rTimestep === undefined ? sigmas[index + 1]! : sigmaAt(rTimestep)),
          };
        },
        predict: ({ modelOutput, question: { x }, call: { t } }) => velocityAnswer(algebra, { x, modelOutput, sigma: sigmaAt(t) }),
        noiseLevel: ({ t }) => flowLevel(t / train),
      };
    },
});

function plainSigmas({ numInferenceSteps: steps, sigmas, timesteps }: TimestepsOptions, train: number): number[] {
  const counts = [steps, sigmas?.length, timesteps?.length].filter((count) => count !== undefined);
  if (counts.length === 0)
    throw new UserError(
      `[samplers/compat] ${NAME}: nothing says how many steps there are: numInferenceSteps=undefined. Pass a number, timesteps or sigmas.`,
    );
  if (counts.some((count) => count !== counts[0]))
    throw new UserError(
      `[samplers/compat] ${NAME}: sigmas, timesteps and numInferenceSteps speak of one run: ${counts.join(', ')} entries. Make `
        + 'them equal in length.',
    );
  if (sigmas !== undefined) return [...sigmas];
  if (timesteps !== undefined) return timesteps.map((t) => t / train);
  return [...linspace(1, 0, counts[0]! + 1)].slice(0, -1);
}

export const flowMapClasses: readonly SchedulerClass[] = [flowMap];
