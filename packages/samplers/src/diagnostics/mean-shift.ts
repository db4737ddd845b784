import { checkNumber, UserError } from '@langevin/tensor';

export interface MeanShiftOptions {
  /** Data, each of the length of x. */
  readonly points: readonly ArrayLike<number>[];
  /** Deviation of the Gaussian kernel, > 0. */
  readonly bandwidth: number;
}

/**
 * One update of mean shift (Fukunaga and Hostetler 1975; Comaniciu and Meer 2002): the mean of the points, weighted by a Gaussian kernel
 * around x. The optimal denoiser of a finite data set at sigma is
 * this with bandwidth sigma (Chen et al. 2023, arXiv:2305.19947, section 4), so sampling its ODE is annealed mean shift.
 *
 * @throws UserError when there are no points, lengths differ, or bandwidth is not positive
 * @example
 * meanShift([0], { points: [[-1], [1]], bandwidth: 2 }); // => [0]
 */
export function meanShift(x: ArrayLike<number>, { points, bandwidth }: MeanShiftOptions): Float64Array {
  const wrong = points.findIndex((point) => point.length !== x.length);
  if (points.length === 0 || wrong >= 0)
    throw new UserError(
      `[samplers/diagnostics] points must be as long as x: points=${points.length}, x has `
        + `${x.length}${wrong < 0 ? '' : `, point ${wrong} has ${points[wrong]!.length}`}. Pass the data, one row each.`,
    );
  checkNumber('samplers/diagnostics', { bandwidth }, { above: 0, advice: 'Pass sigma / alpha.' });
  const squares = points.map((point) => Array.from(point).reduce((sum, value, k) => sum + (x[k]! - value) ** 2, 0));
  // Distances less the least one leave the shares as they are, and no kernel vanishes.
  const least = Math.min(...squares);
  const weights = squares.map((square) => Math.exp((least - square) / (2 * bandwidth ** 2)));
  const total = weights.reduce((a, b) => a + b, 0);
  return Float64Array.from({ length: x.length }, (_, k) => points.reduce((sum, point, i) => sum + (weights[i]! / total) * point[k]!, 0));
}
