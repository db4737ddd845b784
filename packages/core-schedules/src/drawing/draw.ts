import type { NoiseLevel } from '@langevin/core';
import { checkNumber, type Generator, UserError } from '@langevin/tensor';
import type { NoiseDistribution } from '../noise-distribution.ts';

/** How the draws of a batch lie to each other; each of them alone follows the distribution. */
export type Spread = (typeof spreads)[number];

/**
 * - `independent`
 * - `stratified`: one from each of `count` equally likely bands, in random order
 * - `low-discrepancy`: as evenly, from a single number (Kingma et al. 2021, arXiv:2107.00630, appendix I.1)
 * - `antithetic`: in pairs u and 1 - u, so that every pair has its noisy and its clean half
 */
export const spreads = ['independent', 'stratified', 'low-discrepancy', 'antithetic'] as const;

export interface DrawOptions {
  readonly generator: Generator;
  /** Number of draws, 0..1e6. */
  readonly count: number;
  /** @default 'independent' */
  readonly spread?: Spread;
}

/** Quantiles of 0 may be infinite; half a unit in the last place keeps off it. */
const LEAST = 2 ** -54;

/** Numbers in (0, 1), each alone uniform. */
export function drawUniforms({ generator, count, spread = 'independent' }: DrawOptions): number[] {
  const where = 'core-schedules/noise-distribution';
  checkNumber(where, { count }, { atLeast: 0, atMost: 1e6, kind: 'integer' });
  const inside = (u: number): number => Math.min(1 - LEAST * 2, Math.max(LEAST, u));
  switch (spread) {
    case 'independent':
      return Array.from(generator.uniform64(count), inside);
    case 'stratified': {
      const uniforms = generator.uniform64(count);
      const order = generator.permutation(count);
      return Array.from(uniforms, (u, i) => inside((order[i]! + inside(u)) / count));
    }
    case 'low-discrepancy': {
      const [start = 0] = generator.uniform64(1);
      return Array.from({ length: count }, (_, i) => inside((start + i / count) % 1));
    }
    case 'antithetic': {
      const half = generator.uniform64(Math.ceil(count / 2));
      return Array.from({ length: count }, (_, i) => inside(i % 2 === 0 ? half[i / 2]! : 1 - half[(i - 1) / 2]!));
    }
    default:
      throw new UserError(`[${where}] unknown spread: spread="${String(spread)}". Known: ${spreads.join(', ')}.`);
  }
}

/**
 * Draws noise levels for a batch.
 *
 * @example
 * drawLevels(logNormalSigmas(), { generator: torchGenerator(0), count: 2 }).length; // => 2
 */
export function drawLevels(distribution: NoiseDistribution, options: DrawOptions): NoiseLevel[] {
  return drawUniforms(options).map(distribution.quantile);
}
