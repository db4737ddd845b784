import { roundHalfEven } from '../grid/ramp.ts';
import { defineSpacing, type Spacing } from '../grid/spacing.ts';
import { isChain, levelsOfSteps } from '../grid/timesteps.ts';

/**
 * Even in time, beginning at the noisiest and ending one stride short of the least: t = span.max (1 - i / N); on a chain of T steps
 * round(T - i T / N) - 1. Made for few steps (Lin et al. 2023, arXiv:2305.08891, table 2, "trailing").
 *
 * @example
 * trailing().levels(flow(), { steps: 4 }).map(({ sigma }) => sigma); // => [1, 0.75, 0.5, 0.25, 0]
 */
export function trailing(): Spacing {
  return defineSpacing({
    name: 'trailing',
    place: (process, count, { reachesFloor }) => {
      const steps = reachesFloor ? count - 1 : count;
      const indices = Array.from({ length: steps }, (_, i) => i / steps);
      if (isChain(process))
        return levelsOfSteps(
          process,
          indices.map((share) => roundHalfEven(process.steps - share * process.steps) - 1),
        );
      return indices.map((share) => process.level(process.span.max * (1 - share)));
    },
  });
}
