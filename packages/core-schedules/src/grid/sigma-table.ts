import type { NoiseLevel } from '@langevin/core';
import type { NoiseProcess } from '../noise-process.ts';
import { ramp } from './ramp.ts';
import { levelsOfSigmas } from './sigma-range.ts';

/**
 * Levels from a table of sigma / alpha before each of its steps and at the floor; other numbers of steps than the table's by log-linear
 * interpolation, as the authors of Align Your Steps advise. For the `place` of a spacing.
 */
export function levelsOfTable(
  table: readonly number[],
  process: NoiseProcess,
  { count, reachesFloor }: { readonly count: number; readonly reachesFloor: boolean },
): readonly NoiseLevel[] {
  const steps = reachesFloor ? count - 1 : count;
  const sigmas = ramp(0, table.length - 1, steps + 1).map((position) => logLinear(table, position));
  // The last entry of the table is the floor; a run to the clean end leaps from the one before.
  return levelsOfSigmas(process, reachesFloor && process.sigma(process.span.min) > 0 ? sigmas : sigmas.slice(0, steps));
}

function logLinear(table: readonly number[], position: number): number {
  const below = Math.floor(position);
  const share = position - below;
  return share === 0 ? table[below]! : table[below]! * (table[below + 1]! / table[below]!) ** share;
}
