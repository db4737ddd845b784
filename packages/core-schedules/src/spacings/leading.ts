import { checkNumber, readOptions, UserError } from '@langevin/tensor';
import { defineSpacing, type Spacing } from '../grid/spacing.ts';
import { isChain, levelsOfSteps } from '../grid/timesteps.ts';

export interface LeadingOptions {
  /** Added to every step, 0..T-1. @default 0; Stable Diffusion uses 1 */
  readonly offset?: number;
}

/**
 * Steps 0, r, 2r, ... with r = floor(T / N), plus an offset, as DDIM and Stable Diffusion sample. The noisiest steps are left
 * out (Lin et al. 2023, arXiv:2305.08891, table 2, "leading"). Chains only.
 *
 * @example
 * leading().levels(discreteVp(), { steps: 4 }).map(relativeSigma); // => [17.3786, 3.443, 0.958, 0.01, 0]
 */
export function leading(options: LeadingOptions = {}): Spacing {
  const { offset = 0 } = readOptions('core-schedules/leading', options);
  checkNumber('core-schedules/leading', { offset }, { atLeast: 0, kind: 'integer' });
  return defineSpacing({
    name: 'leading',
    place: (process, count, { reachesFloor }) => {
      if (!isChain(process))
        throw new UserError(
          `[core-schedules/leading] the rule counts the steps of a chain: process=${process.name} has none. Use linspaceTimes() or `
            + 'trailing().',
        );
      const steps = reachesFloor ? count - 1 : count;
      const stride = Math.floor(process.steps / steps);
      const last = (steps - 1) * stride + offset;
      if (stride === 0 || last >= process.steps) {
        throw new UserError(
          `[core-schedules/leading] steps leave the chain: steps=${steps}, offset=${offset}, chain of ${process.steps}. Take fewer `
            + 'steps or a smaller offset.',
        );
      }
      return levelsOfSteps(
        process,
        Array.from({ length: steps }, (_, i) => last - i * stride),
      );
    },
  });
}
