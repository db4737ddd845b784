import type { Algebra, DetailedPrediction, NoiseLevel } from '@langevin/core';
import { alphaBarsOf, betaOptions, type ChainConfig } from '../betas.ts';
import { descendingRange, interpolateTable, linspace, roundHalfEven } from '../float32.ts';
import type { Output, Place, Schedule } from '../scheduler-class.ts';
import { logTable, sigmaRuleOf, sigmaRuleOptions, sigmasByRule, sigmaTable, sigmaToTime, type SigmaRule } from '../sigma-tables.ts';
import { answer, singleLevel, type LimitConfig, type PredictionName } from '../x0.ts';
import { spacingOptions, type SpacingName } from './chain.ts';

const { fround } = Math;

/** Options of the classes that keep x = x0 + sigma epsilon over a chain, with Stable Diffusion's betas where upstream has them. */
export function sigmaSpaceOptions(betas: Parameters<typeof betaOptions>[0] = {}) {
  return { ...betaOptions(betas), ...spacingOptions('linspace') } as const;
}

export { sigmaRuleOptions };

/** Tables that depend on the config alone. */
export interface SigmaChain {
  readonly alphaBars: Float32Array;
  /** Rising with the step of the chain. */
  readonly table: Float32Array;
  readonly logTable: Float32Array;
}

/** @param last replaces the last cumulative product, where it would be zero */
export function sigmaChain(config: ChainConfig, options: { readonly last?: number } = {}): SigmaChain {
  const alphaBars = alphaBarsOf(config);
  if (options.last !== undefined) alphaBars[alphaBars.length - 1] = options.last;
  const table = sigmaTable(alphaBars);
  return { alphaBars, table, logTable: logTable(table) };
}

interface SpacingConfig {
  readonly timestep_spacing: SpacingName;
  readonly steps_offset: number;
}

/** Falling timesteps, not rounded to whole ones where they are evenly spaced; float32 unless said otherwise. */
export function sigmaSpaceTimesteps(
  { timestep_spacing, steps_offset }: SpacingConfig,
  { train, steps, round = fround }: { readonly train: number; readonly steps: number; readonly round?: (t: number) => number },
): number[] {
  switch (timestep_spacing) {
    case 'linspace':
      return [...linspace(0, train - 1, steps)].map(round).reverse();
    case 'leading':
      return Array.from({ length: steps }, (_, i) => (steps - 1 - i) * Math.floor(train / steps) + steps_offset);
    case 'trailing':
      return descendingRange(train, train / steps).map((t) => roundHalfEven(t) - 1);
  }
}

export interface SigmaGrid {
  /** One for each step, falling. */
  readonly timesteps: readonly number[];
  /** One more, the last of them 0. */
  readonly sigmas: readonly number[];
  /** The sigmas before they are rounded to float32, without the 0. */
  readonly between: readonly number[];
}

interface GridRequest {
  readonly chain: SigmaChain;
  readonly timesteps: readonly number[];
  readonly rule: SigmaRule | undefined;
  /** Whether timesteps of rule-made sigmas are rounded. @default false */
  readonly rounds?: boolean;
}

/** Sigmas of timesteps, or by a rule between the first and the last of them, and 0. */
export function sigmaGrid({ chain, timesteps, rule, rounds = false }: GridRequest): SigmaGrid {
  const between = timesteps.map((t) => interpolateTable(t, chain.table));
  if (rule === undefined) return { timesteps, sigmas: [...between.map(fround), 0], between };
  const made = [...sigmasByRule(rule, { max: between[0]!, min: between.at(-1)!, steps: timesteps.length })];
  const times = made.map((sigma) => sigmaToTime(sigma, chain.logTable));
  return { timesteps: rounds ? times.map(roundHalfEven) : times, sigmas: [...made.map(fround), 0], between: made };
}

/** What noise is multiplied by at the start. */
export function initNoiseSigma(spacing: SpacingName, sigmas: readonly number[]): number {
  const most = sigmas.reduce((a, b) => Math.max(a, b));
  return spacing === 'leading' ? fround(Math.sqrt(fround(fround(most * most) + 1))) : most;
}

export const sigmaLevelOf = (sigma: number): NoiseLevel => ({ alpha: 1, sigma });

/** How networks of variance-preserving chains are shown a state x0 + sigma epsilon. */
export const inputScaleAt = (sigma: number): number => 1 / Math.sqrt(sigma * sigma + 1);

/** What these classes have in common besides their solver. */
export function sigmaSpaceSchedule<T>({
  algebra,
  config,
  sigmas,
}: {
  readonly algebra: Algebra<T>;
  readonly config: LimitConfig & SpacingConfig & { readonly prediction_type: PredictionName };
  readonly sigmas: readonly number[];
}): Pick<Schedule<T>, 'sigmas' | 'initNoiseSigma' | 'inputScale' | 'predict' | 'noiseLevel'> {
  const sigmaAt = ({ index }: Place): number => sigmas[index]!;
  return {
    sigmas,
    initNoiseSigma: initNoiseSigma(config.timestep_spacing, sigmas),
    inputScale: (place, asked) => inputScaleAt(asked === undefined ? sigmaAt(place) : asked.sigma / asked.alpha),
    predict: ({ modelOutput, question }: Output<T>): Promise<DetailedPrediction<T>> =>
      answer({ algebra, prediction: config.prediction_type, x: question.x, modelOutput, at: singleLevel(question.at), config }),
    noiseLevel: (place) => sigmaLevelOf(sigmaAt(place)),
  };
}

export { sigmaRuleOf };
