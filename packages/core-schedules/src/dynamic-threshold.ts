import type { Algebra } from '@langevin/core';
import { checkNumber } from '@langevin/tensor';

export interface DynamicThresholdOptions {
  /** Which quantile of its absolute values an item may reach, 0..1. */
  readonly ratio: number;
  /** The limit is at most that, > 0. @default Infinity */
  readonly most?: number;
}

/**
 * Dynamic thresholding: each item [N, ...] is limited to -s..s and divided by s, where s is a quantile of its absolute values, but not
 * below 1 (Saharia et al. 2022, arXiv:2205.11487, section 2.3). The quantile is that of `torch.quantile`: between elements linear. Where
 * `most` is below 1, it wins, as in diffusers.
 *
 * @throws UserError for a ratio outside of 0..1, or a limit that is not above 0
 * @example
 * await dynamicallyThresholded(arrayAlgebra(), Float64Array.of(-4, 1, 2), { ratio: 0.5 }); // => [-1, 0.5, 1]
 */
export async function dynamicallyThresholded<T>(
  algebra: Algebra<T>,
  x0: T,
  { ratio, most = Infinity }: DynamicThresholdOptions,
): Promise<T> {
  checkNumber('core-schedules/dynamic-threshold', { ratio }, { atLeast: 0, atMost: 1 });
  checkNumber('core-schedules/dynamic-threshold', { most }, { above: 0, infinity: 'allowed' });
  const limits = (await algebra.absQuantile(x0, ratio)).map((s) => Math.min(Math.max(s, 1), most));
  return algebra.linear([limits.map((s) => 1 / s), algebra.clamp(x0, limits)]);
}
