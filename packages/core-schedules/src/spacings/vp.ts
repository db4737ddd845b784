import { checkNumber, readOptions } from '@langevin/tensor';
import { ramp } from '../grid/ramp.ts';
import { levelsOfSigmas, noisyCount } from '../grid/sigma-range.ts';
import { defineSpacing, type Spacing } from '../grid/spacing.ts';

const WHERE = 'core-schedules/vp';

export interface VpSpacingOptions {
  /** beta(1) - beta(0), > 0. @default 19.9, the paper's */
  readonly betaD?: number;
  /** beta(0), > 0. @default 0.1 */
  readonly betaMin?: number;
  /** Least time, in (0, 1). @default 1e-3 */
  readonly epsilon?: number;
}

/**
 * The levels of continuous VP (Song et al. 2021, arXiv:2011.13456) at even times from 1 to epsilon, on any process:
 * sigma / alpha = sqrt(exp(betaD t^2 / 2 + betaMin t) - 1), k-diffusion's `get_sigmas_vp`. Its range is its own, 152 to 0.01 by
 * default, whatever the process; on vpLinear() it is `linspace`.
 *
 * @example
 * vpSpacing().levels(edm(), { steps: 4 }).map(({ sigma }) => sigma); // => [152.167, 9.4032, 1.462, 0.0105, 0]
 */
export function vpSpacing(options: VpSpacingOptions = {}): Spacing {
  const { betaD = 19.9, betaMin = 0.1, epsilon = 1e-3 } = readOptions('core-schedules/vp', options);
  checkNumber(WHERE, { betaD }, { above: 0 });
  checkNumber(WHERE, { betaMin }, { above: 0 });
  checkNumber(WHERE, { epsilon }, { above: 0, below: 1 });
  return defineSpacing({
    name: 'vp',
    place: (process, count, { reachesFloor }) => {
      const times = ramp(1, epsilon, noisyCount(process, count, { reachesFloor }));
      return levelsOfSigmas(
        process,
        times.map((t) => Math.sqrt(Math.expm1((betaD * t * t) / 2 + betaMin * t))),
      );
    },
  });
}
