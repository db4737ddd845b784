import { type Algebra, CLEAN, type DetailedPrediction, type NoiseLevel } from '@langevin/core';
import { UnsupportedError, UserError } from '@langevin/tensor';
import { transition } from '@langevin/core-schedules';
import { oneOf } from '@langevin/tensor/fields';
import { ddpm, type DdpmOptions } from '../../solvers/ddpm.ts';
import { alphaBarsOf, betaOptions, zeroSnrOption } from '../betas.ts';
import { on } from '../config.ts';
import { exclusive } from '../check-call.ts';
import {
  defineScheduler,
  type Context,
  type ItemSteps,
  type Output,
  type Schedule,
  type SchedulerClass,
  type TimestepsOptions,
} from '../scheduler-class.ts';
import {
  answer,
  clipOptions,
  limited,
  predictionOption,
  singleLevel,
  thresholdingOptions,
  toX0Each,
  type LimitConfig,
  type PredictionName,
} from '../x0.ts';
import { chainTimesteps, levelAtStep, spacingOptions, wholeChain } from './chain.ts';
import { firstChannels, splitChannels } from './channels.ts';

const PARALLEL = 'DDPMParallelScheduler';

const options = {
  ...betaOptions({ more: ['sigmoid', 'laplace'] }),
  ...zeroSnrOption,
  ...clipOptions(on),
  ...thresholdingOptions,
  ...predictionOption(['epsilon', 'sample', 'v_prediction'], 'epsilon'),
  ...spacingOptions('leading'),
  variance_type: oneOf('fixed_small', ['fixed_small', 'fixed_small_log', 'fixed_large', 'fixed_large_log', 'learned', 'learned_range']),
} as const;

export type VarianceName = 'fixed_small' | 'fixed_small_log' | 'fixed_large' | 'learned' | 'learned_range';

const VARIANCES: Record<VarianceName, Exclude<DdpmOptions['variance'], undefined>> = {
  fixed_small: 'small',
  fixed_small_log: 'small',
  fixed_large: 'large',
  learned: 'learned',
  learned_range: 'learned-range',
};

export const ddpmOf = (variance: VarianceName, more: Pick<DdpmOptions, 'transition'> = {}) =>
  ddpm({ variance: VARIANCES[variance], ...more });

/**
 * Where upstream ends a step before the chain at t > 0 it adds noise even so: of the variance that the chosen rule gives, with the
 * posterior's raised from 0 to 1e-20. At this level the solver's variances are those.
 */
export const NEARLY_CLEAN: NoiseLevel = { alpha: 1, sigma: 1e-10 };

export const cleanAfter = (t: number): NoiseLevel => (t > 0 ? NEARLY_CLEAN : CLEAN);

interface AncestralPrediction<T> {
  readonly algebra: Algebra<T>;
  readonly config: LimitConfig & { readonly prediction_type: PredictionName };
  readonly variance: VarianceName;
  readonly output: Output<T>;
}

/** The x0-prediction, and of networks that learned variances the second half of the output. */
export async function ancestralPrediction<T>({
  algebra,
  config,
  variance,
  output,
}: AncestralPrediction<T>): Promise<DetailedPrediction<T>> {
  const { modelOutput, question, sample } = output;
  const learned = variance === 'learned' || variance === 'learned_range';
  const parts = learned ? await splitChannels(algebra, modelOutput, sample) : { prediction: modelOutput, variance: undefined };
  const predicted = await answer({
    algebra,
    prediction: config.prediction_type,
    x: question.x,
    modelOutput: parts.prediction,
    at: singleLevel(question.at),
    config,
  });
  if (!learned) return predicted;
  if (parts.variance === undefined)
    throw new UserError(
      `[samplers/compat] variance_type=${variance} needs the variance that the network learned: an output with twice the channels `
        + 'of the sample. Pass the output as the network gave it.',
    );
  return { ...predicted, variance: variance === 'learned' ? await logOf(algebra, parts.variance) : parts.variance };
}

/** Upstream takes the learned output for the variance itself, where the paper has its logarithm. */
async function logOf<T>(algebra: Algebra<T>, variance: T): Promise<T> {
  const values = await algebra.toHost(variance);
  const bad = values.findIndex((value) => !(value > 0));
  if (bad >= 0)
    throw new UserError(
      `[samplers/compat] a learned variance must be > 0: element ${bad} is ${values[bad]}. Use variance_type: 'learned_range' for `
        + 'networks that learned a share.',
    );
  return algebra.fromHost(values.map(Math.log), variance);
}

const ddpmNamed = (name: string): SchedulerClass =>
  defineScheduler({
    name,
    options,
    unset: 'steps',
    timestepsOptions: ['numInferenceSteps', 'timesteps'],
    stepOptions: ['generator', 'noise'],
    create: <T>({ config, algebra }: Context<typeof options, T>) => {
      const { variance_type: variance, num_train_timesteps: train } = config;
      if (variance === 'fixed_large_log')
        throw new UnsupportedError(
          `[samplers/compat] ${name}: variance_type="fixed_large_log" takes the root of a negative logarithm in Python and gives `
            + 'NaN. Use "fixed_large", which it was meant to be.',
        );
      const alphaBars = alphaBarsOf(config);
      const levelAt = levelAtStep(name, alphaBars);
      return (request?: TimestepsOptions): Schedule<T> => {
        const timesteps = request === undefined ? wholeChain(train) : ddpmTimesteps(name, config, request);
        const stride = Math.floor(train / (request?.numInferenceSteps ?? train));
        /** The posterior's mean; the step before t is t - floor(T / n) whatever the timesteps are, as upstream has it there. */
        const withoutNoise = async ({ modelOutput: output, sample: x, timesteps: times }: ItemSteps<T>): Promise<T> => {
          const modelOutput = variance.startsWith('learned') ? await firstChannels(algebra, output, x) : output;
          const at = times.map((t) => levelAt({ t }));
          const moves = times.map((t, i) => transition(at[i]!, t < stride ? CLEAN : levelAt({ t: t - stride })));
          const x0 = await limited(algebra, toX0Each({ algebra, prediction: config.prediction_type, x, modelOutput, at }), config);
          return algebra.linear([moves.map(({ xScale }) => xScale), x], [moves.map(({ x0Scale }) => x0Scale), x0]);
        };
        return {
          timesteps,
          sigmas: [],
          initNoiseSigma: 1,
          missing: 'by-timestep',
          learnsVariance: variance === 'learned' || variance === 'learned_range',
          move: ({ t }) => {
            const place = timesteps.indexOf(t);
            const before = request === undefined ? t - 1 : place < 0 ? undefined : (timesteps[place + 1] ?? -1);
            if (before === undefined)
              throw new UserError(
                `[samplers/compat] ${name}: the timestep is not one of this run: t=${t}. Pass one of scheduler.timesteps.`,
              );
            return { sampler: ddpmOf(variance), from: levelAt({ t }), to: before < 0 ? cleanAfter(t) : levelAt({ t: before }) };
          },
          predict: (output) => ancestralPrediction({ algebra, config, variance, output }),
          noiseLevel: levelAt,
          velocityLevel: levelAt,
          ...(name === PARALLEL ? { withoutNoise: (items) => withoutNoise(items) } : {}),
        };
      };
    },
  });

function ddpmTimesteps(name: string, config: Parameters<typeof chainTimesteps>[1], request: TimestepsOptions): readonly number[] {
  exclusive(name, request, ['numInferenceSteps', 'timesteps']);
  const { timesteps } = request;
  if (timesteps === undefined) return chainTimesteps(name, config, request.numInferenceSteps!);
  timesteps.forEach((t, i) => {
    if (!(Number.isInteger(t) && t >= 0 && t < config.num_train_timesteps))
      throw new UserError(
        `[samplers/compat] ${name}: custom timesteps are whole steps of the chain: timesteps[${i}]=${t}. Pass integers in `
          + `0..${config.num_train_timesteps - 1}.`,
      );
    if (i > 0 && t >= timesteps[i - 1]!)
      throw new UserError(
        `[samplers/compat] ${name}: custom timesteps must fall: timesteps[${i - 1}]=${timesteps[i - 1]}, timesteps[${i}]=${t}. Sort them.`,
      );
  });
  return timesteps;
}

export const ddpmClasses: readonly SchedulerClass[] = [ddpmNamed('DDPMScheduler'), ddpmNamed(PARALLEL)];
