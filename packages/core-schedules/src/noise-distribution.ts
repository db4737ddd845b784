import type { Generator } from '@langevin/tensor';
import { checkNumber } from './check.ts';
import { sigmaLevel, type NoiseLevel } from './level.ts';
import type { NoiseProcess } from './noise-process.ts';
import { normalQuantile } from './normal-quantile.ts';

const WHERE = 'core-schedules/noise-distribution';

/** Which noise levels training sees, and how often. */
export interface NoiseDistribution {
  readonly name: string;
  /** The level below which a share `u` of the draws lies, u in (0, 1); noise grows with u. */
  readonly quantile: (u: number) => NoiseLevel;
}

/** Times uniform over a process's domain; for a chain, its steps are equally likely. */
export function uniformTimes(process: NoiseProcess, range: { /** @default 1e-5, as Song et al. train (domain.min if that is more) */ readonly min?: number; /** @default domain.max */ readonly max?: number } = {}): NoiseDistribution {
  const { min = Math.max(1e-5, process.domain.min), max = process.domain.max } = range;
  checkNumber(WHERE, 'max', max, process.domain);
  checkNumber(WHERE, 'min', min, { min: process.domain.min, max });
  const { steps } = process;
  return Object.freeze({
    name: 'uniform-times',
    quantile: (u: number) => {
      if (steps === undefined) return process.level(min + u * (max - min));
      const first = Math.round(min * steps);
      const count = Math.round(max * steps) - first + 1;
      return process.level((first + Math.min(count - 1, Math.floor(u * count))) / steps);
    },
  });
}

export interface LogNormalOptions {
  /** Mean of log sigma. @default -1.2, EDM's (arXiv:2206.00364, table 1) */
  readonly mean?: number;
  /** Deviation of log sigma, > 0. @default 1.2 */
  readonly std?: number;
}

/** log sigma normal, in EDM units (alpha = 1) (Karras et al. 2022, arXiv:2206.00364, table 1). */
export function logNormalSigmas(options: LogNormalOptions = {}): NoiseDistribution {
  const { mean = -1.2, std = 1.2 } = options;
  checkNumber(WHERE, 'mean', mean);
  checkNumber(WHERE, 'std', std, { min: 0, openMin: true });
  return Object.freeze({ name: 'log-normal-sigmas', quantile: (u: number) => sigmaLevel(Math.exp(mean + std * normalQuantile(u))) });
}

export interface LogitNormalOptions {
  /** Mean of logit t. @default 0 */
  readonly mean?: number;
  /** Deviation of logit t, > 0. @default 1 */
  readonly std?: number;
}

/** logit t normal over a continuous process, mostly middle times (Esser et al. 2024, arXiv:2403.03206, eq. 19). */
export function logitNormalTimes(process: NoiseProcess, options: LogitNormalOptions = {}): NoiseDistribution {
  const { mean = 0, std = 1 } = options;
  checkNumber(WHERE, 'mean', mean);
  checkNumber(WHERE, 'std', std, { min: 0, openMin: true });
  const { min, max } = process.domain;
  return Object.freeze({
    name: 'logit-normal-times',
    quantile: (u: number) => process.level(min + (max - min) / (1 + Math.exp(-(mean + std * normalQuantile(u))))),
  });
}

export interface DrawOptions {
  readonly generator: Generator;
  /** Number of levels, 0..1e6. */
  readonly count: number;
  /** One draw from each of `count` equally likely bands, in random order, so that every batch spans all levels. @default false */
  readonly stratified?: boolean;
}

/**
 * Draws noise levels for a batch.
 *
 * @example
 * drawLevels(logNormalSigmas(), { generator: torchGenerator(0), count: 2 }).length; // => 2
 */
export function drawLevels(distribution: NoiseDistribution, { generator, count, stratified = false }: DrawOptions): NoiseLevel[] {
  checkNumber(WHERE, 'count', count, { min: 0, max: 1e6, integer: true });
  const uniforms = generator.uniform64(count);
  const order = stratified ? generator.permutation(count) : undefined;
  // Quantiles of 0 may be infinite; half a unit in the last place keeps off it.
  return Array.from(uniforms, (u, i) => distribution.quantile(order === undefined ? Math.max(u, 2 ** -54) : (order[i]! + Math.max(u, 2 ** -54)) / count));
}
