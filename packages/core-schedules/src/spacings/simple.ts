import { defineSpacing, type Spacing } from '../grid/spacing.ts';
import { timestepTable } from '../grid/timesteps.ts';

/**
 * Whole timesteps T - 1 - int(i T / N) of the model's table: ComfyUI's `simple`. Begins at the noisiest and ends a stride short of the
 * least. Processes of continuous time have a table of 1000.
 *
 * @example
 * simpleSpacing().levels(discreteVp(), { steps: 4 }).map(relativeSigma); // => [157.4073, 17.247, 3.4241, 0.9529, 0]
 */
export function simpleSpacing(): Spacing {
  return defineSpacing({
    name: 'simple',
    place: (process, count, { reachesFloor }) => {
      const table = timestepTable(process);
      const steps = reachesFloor ? count - 1 : count;
      return Array.from({ length: steps }, (_, i) => table.level(table.size - 1 - Math.floor(i * (table.size / steps))));
    },
  });
}
