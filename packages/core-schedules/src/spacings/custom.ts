import { checkLevel, type NoiseLevel } from '@langevin/core';
import { checkNumber, readOptions, UserError } from '@langevin/tensor';
import { levelsOfSigmas } from '../grid/sigma-range.ts';
import { defineSpacing, type Spacing } from '../grid/spacing.ts';
import { isChain, levelsOfSteps } from '../grid/timesteps.ts';
import { isStraight, type NoiseProcess } from '../noise-process.ts';

const WHERE = 'core-schedules/custom';
const FORMS = ['sigmas', 'times', 'timesteps', 'levels'] as const;

/** Exactly one of the four, noisiest first; a last sigma or level without noise may be there or not. */
export interface CustomSpacingOptions {
  /** sigma / alpha, or on straight paths sigma itself. */
  readonly sigmas?: ArrayLike<number>;
  /** Times of the process. */
  readonly times?: ArrayLike<number>;
  /** Steps of a chain, 0..T-1; whole ones. */
  readonly timesteps?: ArrayLike<number>;
  readonly levels?: readonly NoiseLevel[];
}

/**
 * A grid of your own. The number of steps asked for must be the grid's: N entries with noise are N steps to the clean end, or N - 1 to the
 * floor.
 *
 * @throws UserError when there is not exactly one list, it is no falling grid, or its length is not that of the steps asked for
 * @example
 * customSpacing({ sigmas: [10, 1] }).levels(edm(), { steps: 2 }).map(({ sigma }) => sigma); // => [10, 1, 0]
 */
export function customSpacing(given: CustomSpacingOptions = {}): Spacing {
  const options = readOptions('core-schedules/custom', given);
  const forms = FORMS.filter((form) => options[form] !== undefined);
  if (forms.length !== 1)
    throw new UserError(
      `[${WHERE}] exactly one list makes a grid: given ${forms.length === 0 ? 'none' : forms.join(', ')}. Pass one of ${FORMS.join(', ')}.`,
    );
  return defineSpacing({
    name: 'custom',
    place: (process, count) => {
      const noisy = levelsFrom(process, options).filter(({ sigma }, i, all) => i < all.length - 1 || sigma > 0);
      const clean = process.sigma(process.span.min) === 0;
      if (noisy.length === count || (clean && noisy.length === count - 1)) return noisy;
      throw new UserError(
        `[${WHERE}] the grid has another length: ${noisy.length} levels with noise, ${count} wanted. Ask for steps: `
          + `${noisy.length} to the clean end, or ${noisy.length - 1} with end: 'floor'.`,
      );
    },
  });
}

function levelsFrom(process: NoiseProcess, { sigmas, times, timesteps, levels = [] }: CustomSpacingOptions): readonly NoiseLevel[] {
  if (sigmas !== undefined) return levelsAt(process, Array.from(sigmas));
  if (times !== undefined) return Array.from(times, process.level);
  if (timesteps !== undefined) {
    if (!isChain(process))
      throw new UserError(`[${WHERE}] timesteps are steps of a chain: process=${process.name} has none. Pass times or sigmas.`);
    const list = Array.from(timesteps);
    list.forEach((step, i) =>
      checkNumber(WHERE, { [`timesteps[${i}]`]: step }, { atLeast: 0, atMost: process.steps - 1, kind: 'integer' }),
    );
    return levelsOfSteps(process, list);
  }
  levels.forEach((level, i) => checkLevel(WHERE, `levels[${i}]`, level));
  return levels;
}

function levelsAt(process: NoiseProcess, sigmas: readonly number[]): readonly NoiseLevel[] {
  const straight = isStraight(process);
  sigmas.forEach((sigma, i) => checkNumber(WHERE, { [`sigmas[${i}]`]: sigma }, { atLeast: 0, ...(straight && { atMost: 1 }) }));
  return straight ? sigmas.map((sigma) => Object.freeze({ alpha: 1 - sigma, sigma })) : levelsOfSigmas(process, sigmas);
}
