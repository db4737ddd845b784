import type { NoiseLevel } from '@langevin/core';
import { number } from '@langevin/tensor/fields';
import { ddim } from '../../solvers/ddim.ts';
import { dpmpp2mSde } from '../../solvers/dpmpp-2m-sde.ts';
import { alphaBarsOf, betaOptions, zeroSnrOption, type ChainConfig } from '../betas.ts';
import { on } from '../config.ts';
import { linspace } from '../float32.ts';
import {
  defineScheduler,
  type Call,
  type Context,
  type Move,
  type Schedule,
  type SchedulerClass,
  type StepOptions,
  type TimestepsOptions,
} from '../scheduler-class.ts';
import { answer, clipOptions, predictionOption, singleLevel } from '../x0.ts';
import { chainTimesteps, levelAtStep, levelOfBar, spacingOptions, wholeChain } from './chain.ts';

const { fround } = Math;

const options = {
  ...betaOptions({ start: 0.00085, end: 0.012, schedule: 'scaled_linear' }),
  ...zeroSnrOption,
  // Known to the config and without effect: the Python classes do not clip.
  ...clipOptions(on),
  sample_max_value: number(1, { atLeast: 0 }),
  ...predictionOption(['epsilon', 'sample', 'v_prediction'], 'epsilon'),
  ...spacingOptions('leading'),
  set_alpha_to_one: on,
  snr_shift_scale: number(3, { above: 0 }),
} as const;

/**
 * Cumulative products with the signal-to-noise ratio divided by a shift, in float64 for scaled_linear as upstream has it and in float32 for
 * the others.
 */
function shiftedBars(
  config: ChainConfig & { readonly snr_shift_scale: number; readonly rescale_betas_zero_snr: boolean },
): Float32Array | Float64Array {
  const { beta_start, beta_end, num_train_timesteps: steps, snr_shift_scale: shift } = config;
  const wide = config.trained_betas === null && config.beta_schedule === 'scaled_linear';
  const round = wide ? (x: number): number => x : fround;
  let product = 1;
  const bars = wide
    ? linspace(Math.sqrt(beta_start), Math.sqrt(beta_end), steps).map((root) => (product *= 1 - root * root))
    : alphaBarsOf({ ...config, rescale_betas_zero_snr: false });
  const shifted = bars.map((bar: number) => round(bar / round(shift + round(round(1 - shift) * bar))));
  return config.rescale_betas_zero_snr ? rescaled(shifted, round) : shifted;
}

/** Lin et al. 2024 (arXiv:2305.08891, Algorithm 1) on cumulative products. */
function rescaled(bars: Float32Array | Float64Array, round: (x: number) => number): Float32Array | Float64Array {
  const roots = bars.map(Math.sqrt);
  const [first, last] = [roots[0]!, roots.at(-1)!];
  const factor = round(first / round(first - last));
  return roots.map((root: number) => round(round(root - last) * factor) ** 2);
}

interface Kind {
  readonly name: string;
  readonly stepOptions: readonly (keyof StepOptions<unknown>)[];
  readonly move: <T>(
    call: Call<T>,
    run: { readonly timesteps: readonly number[]; readonly from: NoiseLevel; readonly to: NoiseLevel; readonly last: boolean },
  ) => Move;
}

const kinds: readonly Kind[] = [
  // eta and what belongs to it are taken and have no effect, as upstream.
  {
    name: 'CogVideoXDDIMScheduler',
    stepOptions: ['eta', 'useClippedModelOutput', 'generator', 'noise'],
    move: (_, { from, to }) => ({ sampler: ddim(), from, to }),
  },
  {
    // The solver remembers the last prediction, which Python's loop passes back as old_pred_original_sample.
    name: 'CogVideoXDPMScheduler',
    stepOptions: ['eta', 'useClippedModelOutput', 'generator', 'noise'],
    move: ({ t }, { timesteps, from, to, last }) => {
      const first = timesteps[0] === t;
      return { sampler: dpmpp2mSde({ order: last ? 1 : 2 }), from, to, forgets: first, unusedDraws: first || last ? 0 : 1, draws: 1 };
    },
  },
];

const cogVideoX = ({ name, stepOptions, move }: Kind): SchedulerClass =>
  defineScheduler({
    name,
    options,
    stepOptions,
    create: <T>({ config, algebra }: Context<typeof options, T>) => {
      const bars = shiftedBars(config);
      const { num_train_timesteps: train } = config;
      const final = levelOfBar(config.set_alpha_to_one ? 1 : bars[0]!);
      const levelAt = levelAtStep(name, bars);
      return (request?: TimestepsOptions): Schedule<T> => {
        const steps = request?.numInferenceSteps;
        const timesteps = steps === undefined ? wholeChain(train) : chainTimesteps(name, config, steps);
        return {
          timesteps,
          sigmas: [],
          initNoiseSigma: 1,
          missing: 'by-timestep',
          move: (call) => {
            const before = call.t - Math.floor(train / (steps ?? train));
            return move(call, { timesteps, from: levelAt(call), to: before >= 0 ? levelAt({ t: before }) : final, last: before < 0 });
          },
          predict: ({ modelOutput, question }) =>
            answer({ algebra, prediction: config.prediction_type, x: question.x, modelOutput, at: singleLevel(question.at), config: {} }),
          noiseLevel: levelAt,
          velocityLevel: levelAt,
        };
      };
    },
  });

export const cogVideoXClasses: readonly SchedulerClass[] = kinds.map(cogVideoX);
