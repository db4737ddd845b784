import type { Algebra, DetailedPrediction, NoiseLevel, NoiseLevels } from '@langevin/core';
import { dynamicallyThresholded, predictionConversion, type Prediction } from '@langevin/core-schedules';
import { InternalError } from '@langevin/tensor';
import { number, oneOf, type Field, type ValuesOf } from '@langevin/tensor/fields';
import { off } from './config.ts';

/** diffusers' names of predictions. */
const PREDICTIONS = { epsilon: 'epsilon', sample: 'x0', v_prediction: 'v', flow_prediction: 'flow' } as const satisfies Record<
  string,
  Prediction
>;
export type PredictionName = keyof typeof PREDICTIONS;

/** The option of classes that take these predictions. */
export function predictionOption<const Name extends PredictionName>(names: readonly Name[], fallback: NoInfer<Name>) {
  return { prediction_type: oneOf<Name>(fallback, names) } as const;
}

/** The level a solver asks about; compat never asks about several at once. */
export function singleLevel(at: NoiseLevels): NoiseLevel {
  if ('alpha' in at) return at;
  throw new InternalError(
    '[samplers/compat] a solver asked for several levels at once, which has no place in a stepping interface. This is a bug in ours.',
  );
}

export interface ToX0<T> {
  readonly algebra: Algebra<T>;
  readonly prediction: PredictionName;
  readonly x: T;
  readonly modelOutput: T;
  readonly at: NoiseLevel;
}

/**
 * The x0-prediction of a model output. Networks predict in units where alpha^2 + sigma^2 = 1 (v) or in those of the state (flow);
 * states of other units are scaled on the way in.
 */
export function toX0<T>({ algebra, prediction, x, modelOutput, at }: ToX0<T>): T {
  if (prediction === 'sample') return modelOutput;
  const terms = x0Terms(prediction, at);
  return algebra.linear([terms.x, x], [terms.modelOutput, modelOutput]);
}

/** The same for a batch whose items are at levels of their own. */
export function toX0Each<T>({ algebra, prediction, x, modelOutput, at }: Omit<ToX0<T>, 'at'> & { readonly at: readonly NoiseLevel[] }): T {
  if (prediction === 'sample') return modelOutput;
  const terms = at.map((level) => x0Terms(prediction, level));
  return algebra.linear([terms.map((each) => each.x), x], [terms.map((each) => each.modelOutput), modelOutput]);
}

function x0Terms(prediction: PredictionName, at: NoiseLevel): { readonly x: number; readonly modelOutput: number } {
  const scale = prediction === 'v_prediction' ? Math.hypot(at.alpha, at.sigma) : 1;
  const level = { alpha: at.alpha / scale, sigma: at.sigma / scale };
  const conversion = predictionConversion({ from: PREDICTIONS[prediction], to: 'x0' }, level);
  return { x: conversion.x / scale, modelOutput: conversion.prediction };
}

/** The noise that a model output tells of a state with alpha^2 + sigma^2 = 1. */
export function toEpsilon<T>({ algebra, prediction, x, modelOutput, at }: ToX0<T>): T {
  if (prediction === 'epsilon') return modelOutput;
  const conversion = predictionConversion({ from: PREDICTIONS[prediction], to: 'epsilon' }, at);
  return algebra.linear([conversion.x, x], [conversion.prediction, modelOutput]);
}

/** Limits on the x0-prediction. */
export const thresholdingOptions = {
  thresholding: off,
  dynamic_thresholding_ratio: number(0.995, { atLeast: 0, atMost: 1 }),
  sample_max_value: number(1, { atLeast: 0 }),
} as const;

/** @param clip whether classes clip where a config does not say: `on` or `off` */
export function clipOptions(clip: Field<boolean>) {
  return { clip_sample: clip, clip_sample_range: number(1, { atLeast: 0 }) } as const;
}

export type LimitConfig = Partial<ValuesOf<typeof thresholdingOptions>> & Partial<ValuesOf<ReturnType<typeof clipOptions>>>;

/** Clips or thresholds an x0-prediction as the config says. */
export async function limited<T>(algebra: Algebra<T>, x0: T, config: LimitConfig): Promise<T> {
  if (config.thresholding === true)
    return dynamicallyThresholded(algebra, x0, { ratio: config.dynamic_thresholding_ratio ?? 0.995, most: config.sample_max_value ?? 1 });
  return config.clip_sample === true ? algebra.clamp(x0, config.clip_sample_range ?? 1) : x0;
}

/** The usual answer to a solver: x0 from the output, then limited; with the unlimited one beside it for solvers that renoise along it. */
export async function answer<T>(given: ToX0<T> & { readonly config: LimitConfig }): Promise<DetailedPrediction<T>> {
  const raw = toX0(given);
  return { denoised: await limited(given.algebra, raw, given.config), unconditional: raw };
}
