import { defineSpacing, type Spacing } from '../grid/spacing.ts';
import { timestepTable } from '../grid/timesteps.ts';

/**
 * The first N of N + 1 even timesteps, not rounded: `normal` that stops a stride short of the least noise (Stability's
 * generative-models; ComfyUI's `sgm_uniform`).
 *
 * @example
 * sgmUniform().levels(discreteVp(), { steps: 4 }).map(relativeSigma); // => [157.4073, 17.2798, 3.4335, 0.9568, 0]
 */
export function sgmUniform(): Spacing {
  return defineSpacing({
    name: 'sgm-uniform',
    place: (process, count, { reachesFloor }) => {
      const table = timestepTable(process);
      const steps = reachesFloor ? count - 1 : count;
      return table
        .even(steps + 1)
        .slice(0, steps)
        .map(table.level);
    },
  });
}
