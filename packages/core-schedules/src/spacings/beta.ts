import { checkNumber, readOptions, UserError } from '@langevin/tensor';
import { ramp, roundHalfEven, withoutRepeats } from '../grid/ramp.ts';
import { noisyCount, sigmaRange, type SigmaRangeOptions } from '../grid/sigma-range.ts';
import { defineSpacing, type Spacing } from '../grid/spacing.ts';
import { timestepTable } from '../grid/timesteps.ts';
import { betaQuantile } from '../maths/incomplete-beta.ts';

const WHERE = 'core-schedules/beta';
const QUANTITIES = ['timestep', 'sigma'] as const;

export interface BetaSpacingOptions extends SigmaRangeOptions {
  /** First shape of the distribution, > 0. @default 0.6, the paper's */
  readonly a?: number;
  /** Second shape, > 0. @default 0.6 */
  readonly b?: number;
  /**
   * What is spread by the quantiles 1 - i / N: whole timesteps of the model, those that coincide taken once (the paper and ComfyUI), or
   * sigma between its ends by the quantiles 1 - i / (N - 1) (diffusers). @default 'timestep'
   */
  readonly over?: (typeof QUANTITIES)[number];
}

/**
 * By the quantiles of a beta distribution, which crowd at both ends of time (Lee et al. 2024, arXiv:2407.12173). Over timesteps it
 * may have fewer steps than asked for, where they coincide.
 *
 * @example
 * betaSpacing().levels(discreteVp(), { steps: 4 }).map(relativeSigma); // => [157.4073, 31.0882, 3.443, 0.6235, 0]
 */
export function betaSpacing(options: BetaSpacingOptions = {}): Spacing {
  const { a = 0.6, b = 0.6, over = 'timestep' } = readOptions('core-schedules/beta', options);
  checkNumber(WHERE, { a }, { above: 0 });
  checkNumber(WHERE, { b }, { above: 0 });
  if (!QUANTITIES.includes(over))
    throw new UserError(`[${WHERE}] unknown quantity: over="${String(over)}". Known: ${QUANTITIES.join(', ')}.`);
  return defineSpacing({
    name: 'beta',
    anyCount: true,
    place: (process, count, { reachesFloor }) => {
      if (over === 'sigma') {
        const { sigmaMin, sigmaMax, levels } = sigmaRange(WHERE, process, options);
        return levels(
          ramp(1, 0, noisyCount(process, count, { reachesFloor })).map((u) => sigmaMin + (sigmaMax - sigmaMin) * betaQuantile(u, { a, b })),
        );
      }
      const table = timestepTable(process);
      const steps = reachesFloor ? count - 1 : count;
      const timesteps = Array.from({ length: steps }, (_, i) => roundHalfEven(betaQuantile(1 - i / steps, { a, b }) * (table.size - 1)));
      return withoutRepeats(timesteps).map(table.level);
    },
  });
}
