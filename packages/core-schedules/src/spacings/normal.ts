import { noisyCount } from '../grid/sigma-range.ts';
import { defineSpacing, type Spacing } from '../grid/spacing.ts';
import { timestepTable } from '../grid/timesteps.ts';

/**
 * Even in timesteps, not rounded, from the noisiest to the least: ComfyUI's `normal`, diffusers' "linspace" of the Euler family. Where
 * alpha = 1 timesteps are even in log sigma.
 *
 * @example
 * normalSpacing().levels(discreteVp(), { steps: 4 }).map(relativeSigma); // => [157.4073, 9.4889, 1.4624, 0.01, 0]
 */
export function normalSpacing(): Spacing {
  return defineSpacing({
    name: 'normal',
    place: (process, count, { reachesFloor }) => {
      const table = timestepTable(process);
      return table.even(noisyCount(process, count, { reachesFloor })).map(table.level);
    },
  });
}
