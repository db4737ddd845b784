import { UserError } from '@langevin/tensor';
import { byName, checkGaussians, PARAMETERS, type Gaussians } from '../gaussians.ts';
import { zeroMoments } from '../optimizer/adam.ts';
import type { Population } from '../optimizer/rows.ts';
import type { Strategy } from '../strategies/strategy.ts';

/**
 * What the training of a scene changes: Gaussians, the moments of Adam, and what the strategy keeps of each. Steps change arrays in place.
 */
export interface SplatState extends Population {
  /** Steps over which the rate of the means falls: those that the run was started for, also where it goes on for more. */
  readonly decaySteps: number;
}

/** A state before the first step. The arrays of the Gaussians are copied. */
export function initialState(
  gaussians: Gaussians,
  { strategy, decaySteps }: { readonly strategy: Strategy; readonly decaySteps: number },
): SplatState {
  checkGaussians('gaussians/training', gaussians);
  const { count, degree } = gaussians;
  return {
    decaySteps,
    gaussians: { count, degree, ...byName((name) => Float32Array.from(gaussians[name])) },
    moments: byName((name) => zeroMoments(gaussians[name].length)),
    statistics: Object.fromEntries(Object.entries(strategy.statistics).map(([name, length]) => [name, new Float32Array(length * count)])),
  };
}

/**
 * A state comes from a checkpoint, of which the loop has compared names and kinds: rows have to be as many everywhere.
 *
 * @throws UserError naming the array that does not fit
 */
export function checkState({ gaussians, moments, statistics, decaySteps }: SplatState, strategy: Strategy): void {
  checkGaussians('gaussians/training', gaussians);
  const rows = (name: string, found: number, expected: number): void => {
    if (found === expected) return;
    throw new UserError(
      `[gaussians/training] array of the state does not have a row for each Gaussian: ${name}.length=${found}, expected=${expected}. Go on `
        + 'from an earlier checkpoint.',
    );
  };
  for (const name of PARAMETERS) {
    rows(`moments.${name}.mean`, moments[name].mean.length, gaussians[name].length);
    rows(`moments.${name}.square`, moments[name].square.length, gaussians[name].length);
  }
  for (const [name, length] of Object.entries(strategy.statistics))
    rows(`statistics.${name}`, statistics[name]?.length ?? 0, length * gaussians.count);
  if (!Number.isSafeInteger(decaySteps) || decaySteps < 1)
    throw new UserError(`[gaussians/training] state is damaged: decaySteps=${decaySteps}. Go on from an earlier checkpoint.`);
}
