import { checkNumber, readOptions } from '@langevin/tensor';
import { ramp } from '../grid/ramp.ts';
import { noisyCount, sigmaRange, type SigmaRangeOptions } from '../grid/sigma-range.ts';
import { defineSpacing, type Spacing } from '../grid/spacing.ts';

const WHERE = 'core-schedules/karras';

export interface KarrasOptions extends SigmaRangeOptions {
  /** > 1 puts more steps near sigmaMin; the paper uses 7. @default 7 */
  readonly rho?: number;
}

/**
 * Even in sigma^(1/rho) (Karras et al. 2022, arXiv:2206.00364, eq. 5), on any process: sigma is relative to alpha, or on straight
 * paths sigma itself.
 *
 * @example
 * karras({ sigmaMin: 1, sigmaMax: 16, rho: 2 }).levels(edm(), { steps: 3 }).map(({ sigma }) => sigma); // => [16, 6.25, 1, 0]
 */
export function karras(options: KarrasOptions = {}): Spacing {
  const { rho = 7 } = readOptions('core-schedules/karras', options);
  checkNumber(WHERE, { rho }, { above: 0 });
  return defineSpacing({
    name: 'karras',
    place: (process, count, { reachesFloor }) => {
      const range = sigmaRange(WHERE, process, options);
      return range.levels(evenInRoot(range, rho, noisyCount(process, count, { reachesFloor })));
    },
  });
}

export interface KarrasSigmasOptions {
  /** Number of sampler steps N >= 1; the result has N + 1 entries. */
  readonly steps: number;
  /** First level, > sigmaMin. @default 80 */
  readonly sigmaMax?: number;
  /** Smallest non-zero level, in units of the data, > 0. @default 0.002 */
  readonly sigmaMin?: number;
  /** > 1 puts more steps near sigmaMin; the paper uses 7. @default 7 */
  readonly rho?: number;
}

/**
 * Noise levels of Karras et al. 2022 (arXiv:2206.00364), eq. 5: evenly spaced in sigma^(1/rho), then 0.
 *
 * @returns float64, shape [N+1], strictly decreasing, last entry exactly 0
 * @throws UserError when sigmaMin >= sigmaMax or steps < 1
 * @example
 * karrasSigmas({ steps: 3, sigmaMin: 1, sigmaMax: 16, rho: 2 }); // => [16, 6.25, 1, 0]
 */
export function karrasSigmas(options: KarrasSigmasOptions): Float64Array {
  const { steps, sigmaMax = 80, sigmaMin = 0.002, rho = 7 } = readOptions('core-schedules/karras', options);
  checkNumber(WHERE, { steps }, { atLeast: 1, atMost: 100_000, kind: 'integer' });
  checkNumber(WHERE, { sigmaMin }, { above: 0 });
  checkNumber(WHERE, { sigmaMax }, { above: sigmaMin });
  checkNumber(WHERE, { rho }, { above: 0 });
  return Float64Array.from([...evenInRoot({ sigmaMin, sigmaMax }, rho, steps), 0]);
}

function evenInRoot(
  { sigmaMin, sigmaMax }: { readonly sigmaMin: number; readonly sigmaMax: number },
  rho: number,
  count: number,
): number[] {
  const roots = ramp(sigmaMax ** (1 / rho), sigmaMin ** (1 / rho), count);
  // The ends are given; a root and its power would move them by rounding.
  return roots.map((root, i) => (i === 0 ? sigmaMax : i === count - 1 ? sigmaMin : root ** rho));
}
