import { UserError } from '@langevin/tensor';
import type { NoiseProcess } from '../noise-process.ts';
import type { AnalyticDistribution } from '../testing/distribution.ts';

export interface DiffusedDensityOptions {
  /** One-dimensional. */
  readonly distribution: Pick<AnalyticDistribution, 'dimension' | 'logDensity'>;
  readonly process: NoiseProcess;
  readonly times: readonly number[];
  /** Points of the state at which the density is wanted. */
  readonly grid: ArrayLike<number>;
}

/**
 * How a distribution turns into noise: the exact density of x_t, one column for each time, one entry for each point of the grid.
 *
 * @example
 * const [clean] = diffusedDensity({ distribution: gaussian({ mean: [0], std: 1 }), process: vpLinear(), times: [1], grid: [0, 1] });
 * clean!; // => [0.3989, 0.242]
 */
export function diffusedDensity({ distribution, process, times, grid }: DiffusedDensityOptions): Float64Array[] {
  if (distribution.dimension !== 1)
    throw new UserError(
      `[core-schedules/diffused-density] the figure is of one dimension: dimension=${distribution.dimension}. Pass a distribution `
        + 'of numbers.',
    );
  return times.map((t) => Float64Array.from(grid, (x) => Math.exp(distribution.logDensity([x], process.level(t)))));
}
