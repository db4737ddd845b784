import { ramp, roundHalfEven } from '../grid/ramp.ts';
import { defineSpacing, type Spacing } from '../grid/spacing.ts';
import { isChain, levelsOfSteps } from '../grid/timesteps.ts';

/**
 * Even in time from span.max to span.min. On a chain of T steps: round(linspace(0, T - 1, N)) (Lin et al. 2023,
 * arXiv:2305.08891, table 2, "linspace").
 *
 * @example
 * linspaceTimes().levels(flow(), { steps: 2, end: 'floor' }).map(({ sigma }) => sigma); // => [1, 0.5, 0]
 */
export function linspaceTimes(): Spacing {
  return defineSpacing({
    name: 'linspace',
    place: (process, count) => {
      if (isChain(process)) return levelsOfSteps(process, ramp(process.steps - 1, 0, count).map(roundHalfEven));
      return ramp(process.span.max, process.span.min, count).map(process.level);
    },
  });
}
