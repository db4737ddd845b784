import type { NoiseLevel } from '@langevin/core-schedules';
import { UnsupportedError, UserError } from '@langevin/tensor';
import { pndm } from '../../solvers/pndm.ts';
import { alphaBarsOf, betaOptions } from '../betas.ts';
import { flag } from '../config.ts';
import { defineScheduler, type Context, type Schedule, type SchedulerClass, type TimestepsOptions } from '../scheduler-class.ts';
import { predictionOption, singleLevel, toX0 } from '../x0.ts';
import { barAt, chainTimesteps, levelAtStep, levelOfBar, spacingOptions } from './chain.ts';

const NAME = 'PNDMScheduler';

const options = {
  ...betaOptions(),
  skip_prk_steps: flag(false),
  set_alpha_to_one: flag(false),
  ...predictionOption(['epsilon', 'v_prediction'], 'epsilon'),
  ...spacingOptions('leading'),
} as const;

/** Steps at the start of a run that are Runge-Kutta steps of four calls. */
const WARM_UP = 3;

export const pndmScheduler: SchedulerClass = defineScheduler({
  name: NAME,
  options,
  create: <T>({ config, algebra }: Context<typeof options, T>) => {
    const alphaBars = alphaBarsOf(config);
    const levelAt = levelAtStep(NAME, alphaBars);
    const final = levelOfBar(config.set_alpha_to_one ? 1 : alphaBars[0]!);
    const { num_train_timesteps: train, skip_prk_steps: skips } = config;
    return (request?: TimestepsOptions): Schedule<T> => {
      const steps = request?.numInferenceSteps;
      const once = steps === undefined ? [] : chainTimesteps(NAME, config, steps);
      const stride = steps === undefined ? 0 : Math.floor(train / steps);
      const half = Math.floor(stride / 2);
      const starting = skips ? 1 : WARM_UP;
      checkStart(once, stride, skips ? 2 : WARM_UP + 1);
      const timesteps = once.flatMap((t, i) => {
        if (skips) return i === 1 ? [t, t] : [t];
        return i < starting ? [t, once[i + 1]! + half, once[i + 1]! + half, once[i + 1]!] : [t];
      });
      const before = (t: number): NoiseLevel => (t - stride >= 0 ? levelOfBar(barAt(NAME, alphaBars, t - stride)) : final);
      return {
        timesteps,
        sigmas: [],
        initNoiseSigma: 1,
        missing: 'by-timestep',
        move: ({ t }) => {
          if (steps === undefined) throw new UserError(`[samplers/compat] ${NAME}: the run has no timesteps yet: t=${t}. Call setTimesteps first.`);
          const actual = { from: levelAt({ t }), to: before(t), middle: levelAt({ t: Math.max(0, t - half) }) };
          const { from, to, middle } = config.prediction_type === 'epsilon' ? actual : rotated(actual);
          // The length of the grid tells the solver whether there is room for its Runge-Kutta start.
          return { sampler: pndm({ form: skips ? 'plms' : 'f', middle: () => middle }), from, to, levels: [from, ...Array.from({ length: steps - 1 }, () => from), to] };
        },
        predict: ({ modelOutput, question, call }) => {
          const at = singleLevel(question.at);
          const given = { algebra, prediction: config.prediction_type, x: question.x, modelOutput };
          if (config.prediction_type === 'epsilon') return { denoised: toX0({ ...given, at }) };
          // The solver's noise is v itself, at levels where its map is upstream's of v.
          return { denoised: algebra.linear([1 / at.alpha, question.x], [-at.sigma / at.alpha, modelOutput]), shown: toX0({ ...given, at: levelAt(call) }) };
        },
        noiseLevel: levelAt,
      };
    };
  },
});

interface Ends {
  readonly from: NoiseLevel;
  readonly to: NoiseLevel;
  readonly middle: NoiseLevel;
}

/**
 * Upstream averages raw outputs v and turns the mean into noise by the state at the start of each step: its map is the rotation x cos - v sin by
 * the angle between the levels. At these levels the solver's map of a noise e, x alpha' / alpha + (sigma' - alpha' sigma / alpha) e, is that rotation.
 */
function rotated({ from, to, middle }: Ends): Ends {
  const cosine = (at: NoiseLevel): number => from.alpha * at.alpha + from.sigma * at.sigma;
  const sine = (at: NoiseLevel): number => from.sigma * at.alpha - from.alpha * at.sigma;
  const sigma = 1 + sine(to) / cosine(to);
  const turned = (at: NoiseLevel): NoiseLevel => ({ alpha: cosine(at), sigma: cosine(at) * sigma - sine(at) });
  return { from: { alpha: 1, sigma }, to: turned(to), middle: turned(middle) };
}

/** @throws UnsupportedError where upstream's start mixes levels of two grids */
function checkStart(once: readonly number[], stride: number, count: number): void {
  if (once.length === 0) return;
  if (once.length < count) throw new UserError(`[samplers/compat] ${NAME}: the start of the method takes ${count} timesteps: numInferenceSteps=${once.length}. Pass at least ${count}, or another class.`);
  const uneven = once.slice(1, count).findIndex((t, i) => once[i]! - t !== stride);
  if (uneven < 0) return;
  throw new UnsupportedError(`[samplers/compat] ${NAME}: timesteps at the start are not floor(T / n)=${stride} apart: ${once[uneven]}, ${once[uneven + 1]}. Upstream mixes two grids there. Use timestep_spacing 'leading', or a number of steps that divides the chain.`);
}
