import { ddim } from '../../solvers/ddim.ts';
import { alphaBarsOf, betaOptions, zeroSnrOption } from '../betas.ts';
import { flag } from '../config.ts';
import { defineScheduler, type Context, type Schedule, type SchedulerClass, type TimestepsOptions } from '../scheduler-class.ts';
import { answer, clipOptions, predictionOption, singleLevel, thresholdingOptions } from '../x0.ts';
import { barAt, chainTimesteps, levelAtStep, levelOfBar, spacingOptions, wholeChain } from './chain.ts';

const options = {
  ...betaOptions(),
  ...zeroSnrOption,
  ...clipOptions(true),
  ...thresholdingOptions,
  ...predictionOption(['epsilon', 'sample', 'v_prediction'], 'epsilon'),
  ...spacingOptions('leading'),
  set_alpha_to_one: flag(true),
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
        return {
          timesteps: steps === undefined ? wholeChain(train) : chainTimesteps(name, config, steps),
          sigmas: [],
          initNoiseSigma: 1,
          missing: 'by-timestep',
          move: ({ t, options: { eta = 0, useClippedModelOutput = false } }) => {
            const before = t - Math.floor(train / (steps ?? train));
            return {
              sampler: ddim({ eta, direction: useClippedModelOutput ? 'denoised' : 'unconditional' }),
              from: levelAt({ t }),
              to: levelOfBar(before >= 0 ? barAt(name, alphaBars, before) : final),
            };
          },
          predict: ({ modelOutput, question }) =>
            answer({ algebra, prediction: config.prediction_type, x: question.x, modelOutput, at: singleLevel(question.at), config }),
          noiseLevel: levelAt,
          velocityLevel: levelAt,
        };
      };
    },
  });

export const ddimClasses: readonly SchedulerClass[] = [ddimNamed('DDIMScheduler'), ddimNamed('DDIMParallelScheduler')];
