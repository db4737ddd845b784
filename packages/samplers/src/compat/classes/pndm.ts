import type { NoiseLevel } from '@langevin/core';
import { UserError } from '@langevin/tensor';
import { pndm } from '../../solvers/pndm.ts';
import { alphaBarsOf, betaOptions } from '../betas.ts';
import { off } from '../config.ts';
import { defineScheduler, type Context, type Schedule, type SchedulerClass, type TimestepsOptions } from '../scheduler-class.ts';
import { predictionOption, singleLevel, toX0 } from '../x0.ts';
import { barAt, chainTimesteps, levelAtStep, levelOfBar, spacingOptions } from './chain.ts';

const NAME = 'PNDMScheduler';

const options = {
  ...betaOptions(),
  skip_prk_steps: off,
  set_alpha_to_one: off,
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
      checkStart(once, skips ? 1 : WARM_UP + 1);
      const timesteps = once.flatMap((t, i) => {
        if (skips) return i === 1 ? [t, t] : [t];
        return i < WARM_UP ? [t, once[i + 1]! + half, once[i + 1]! + half, once[i + 1]!] : [t];
      });
      const at = (t: number): NoiseLevel => (t >= 0 ? levelOfBar(barAt(NAME, alphaBars, t)) : final);
      /** Ends of the maps of a step: where timesteps are not a stride apart, those of a start lead from and to neighbours that are. */
      const timesOf = (t: number): readonly (readonly [number, number])[] => {
        const i = once.indexOf(t);
        const next = (i < 0 ? undefined : once[i + 1]) ?? t - stride;
        if (!skips && i >= 0 && i < WARM_UP) return [t - half, next + half, next, next].map((end) => [t, end]);
        return skips && i === 0 && once.length > 1
          ? [
              [t, t - stride],
              [next + stride, next],
            ]
          : [
              [t, t - stride],
              [t, t - stride],
            ];
      };
      return {
        timesteps,
        sigmas: [],
        initNoiseSigma: 1,
        missing: 'by-timestep',
        later: 'ignored',
        move: ({ t }) => {
          if (steps === undefined)
            throw new UserError(`[samplers/compat] ${NAME}: the run has no timesteps yet: t=${t}. Call setTimesteps first.`);
          const actual = timesOf(t).map(([from, to]) => ({ from: at(from), to: at(to) }));
          const legs = config.prediction_type === 'epsilon' ? actual : rotated(actual);
          const { from } = legs[0]!;
          const { to } = legs.at(-1)!;
          // The length of the grid tells the solver whether there is room for its Runge-Kutta start.
          return {
            sampler: pndm({ form: skips ? 'plms' : 'f', legs: () => legs }),
            from,
            to,
            levels: [from, ...Array.from({ length: steps - 1 }, () => from), to],
          };
        },
        predict: ({ modelOutput, question, call }) => {
          const level = singleLevel(question.at);
          const given = { algebra, prediction: config.prediction_type, x: question.x, modelOutput };
          if (config.prediction_type === 'epsilon') return { denoised: toX0({ ...given, at: level }) };
          // The solver's noise is v itself, at levels where its map is upstream's of v.
          return {
            denoised: algebra.linear([1 / level.alpha, question.x], [-level.sigma / level.alpha, modelOutput]),
            shown: toX0({ ...given, at: levelAt(call) }),
          };
        },
        noiseLevel: levelAt,
      };
    };
  },
});

interface Leg {
  readonly from: NoiseLevel;
  readonly to: NoiseLevel;
}

/**
 * Upstream averages raw outputs v and turns the mean into noise by the state at the start of each step: its map is the rotation x cos - v
 * sin by the angle between the levels. At these levels the solver's map of a noise e, x alpha' / alpha + (sigma' - alpha' sigma / alpha) e,
 * is that rotation.
 */
function rotated(legs: readonly Leg[]): readonly Leg[] {
  const angles = legs.map(({ from, to }) => Math.atan2(from.sigma, from.alpha) - Math.atan2(to.sigma, to.alpha));
  const sigma = 1 + angles.map(Math.tan).reduce((a, b) => Math.max(a, b));
  return angles.map((angle) => ({
    from: { alpha: 1, sigma },
    to: { alpha: Math.cos(angle), sigma: Math.cos(angle) * sigma - Math.sin(angle) },
  }));
}

/** @throws UserError where there is no room for the start */
function checkStart(once: readonly number[], count: number): void {
  if (once.length > 0 && once.length < count)
    throw new UserError(
      `[samplers/compat] ${NAME}: the start of the method takes ${count} timesteps: numInferenceSteps=${once.length}. Pass at `
        + `least ${count}, or another class.`,
    );
}
