import { CLEAN, type NoiseLevel } from '@langevin/core';
import { ddim } from '../../solvers/ddim.ts';
import { alphaBarsOf, betaOptions, zeroSnrOption } from '../betas.ts';
import { on } from '../config.ts';
import {
  defineScheduler,
  type Context,
  type ItemSteps,
  type Schedule,
  type SchedulerClass,
  type TimestepsOptions,
} from '../scheduler-class.ts';
import { answer, clipOptions, limited, predictionOption, singleLevel, thresholdingOptions, toX0Each } from '../x0.ts';
import { barAt, chainTimesteps, levelAtStep, levelOfBar, spacingOptions, wholeChain } from './chain.ts';

const PARALLEL = 'DDIMParallelScheduler';

const options = {
  ...betaOptions(),
  ...zeroSnrOption,
  ...clipOptions(on),
  ...thresholdingOptions,
  ...predictionOption(['epsilon', 'sample', 'v_prediction'], 'epsilon'),
  ...spacingOptions('leading'),
  set_alpha_to_one: on,
};

/**
 * The step before t is t - floor(T / n) whatever the spacing, which is wrong for all but leading (diffusers issues 9261 and 12633) and
 * kept.
 */
const ddimNamed = (name: string): SchedulerClass =>
  defineScheduler({
    name,
    options,
    stepOptions: ['eta', 'useClippedModelOutput', 'generator', 'noise'],
    create: <T>({ config, algebra }: Context<typeof options, T>) => {
      const alphaBars = alphaBarsOf(config);
      const final = config.set_alpha_to_one ? 1 : alphaBars[0]!;
      const train = config.num_train_timesteps;
      const levelAt = levelAtStep(name, alphaBars);
      return (request?: TimestepsOptions): Schedule<T> => {
        const steps = request?.numInferenceSteps;
        const before = (t: number): NoiseLevel => {
          const place = t - Math.floor(train / (steps ?? train));
          return levelOfBar(place >= 0 ? barAt(name, alphaBars, place) : final);
        };
        /** alpha' D + sigma' epsilon; a step before the chain ends at 1 whatever set_alpha_to_one says, as upstream has it there. */
        const withoutNoise = async ({ modelOutput, sample: x, timesteps }: ItemSteps<T>): Promise<T> => {
          const from = timesteps.map((t) => levelAt({ t }));
          const to = timesteps.map((t) => (t < Math.floor(train / (steps ?? train)) ? CLEAN : before(t)));
          const raw = toX0Each({ algebra, prediction: config.prediction_type, x, modelOutput, at: from });
          const shares = to.map(({ sigma }, i) => sigma / from[i]!.sigma);
          return algebra.linear(
            [to.map(({ alpha }) => alpha), await limited(algebra, raw, config)],
            [shares, x],
            [shares.map((share, i) => -share * from[i]!.alpha), raw],
          );
        };
        return {
          timesteps: steps === undefined ? wholeChain(train) : chainTimesteps(name, config, steps),
          sigmas: [],
          initNoiseSigma: 1,
          missing: 'by-timestep',
          move: ({ t, options: { eta = 0, useClippedModelOutput = false } }) => ({
            sampler: ddim({ eta, direction: useClippedModelOutput ? 'denoised' : 'unconditional' }),
            from: levelAt({ t }),
            to: before(t),
            draws: eta > 0 ? 1 : 0,
          }),
          predict: ({ modelOutput, question }) =>
            answer({ algebra, prediction: config.prediction_type, x: question.x, modelOutput, at: singleLevel(question.at), config }),
          noiseLevel: levelAt,
          velocityLevel: levelAt,
          ...(name === PARALLEL ? { withoutNoise: (items) => withoutNoise(items) } : {}),
        };
      };
    },
  });

export const ddimClasses: readonly SchedulerClass[] = [ddimNamed('DDIMScheduler'), ddimNamed(PARALLEL)];
