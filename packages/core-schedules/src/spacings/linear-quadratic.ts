import { checkNumber, readOptions } from '@langevin/tensor';
import { sigmaRange } from '../grid/sigma-range.ts';
import { defineSpacing, type Spacing } from '../grid/spacing.ts';

const WHERE = 'core-schedules/linear-quadratic';

export interface LinearQuadraticOptions {
  /** Share of the noise that the linear part removes, in (0, 1). @default 0.025, Movie Gen's and Mochi's */
  readonly threshold?: number;
  /** Steps of the linear part, 1..N-1. @default half of the steps, rounded down */
  readonly linearSteps?: number;
  /** The sigma to begin with, > 0. @default the process's at span.max */
  readonly sigmaMax?: number;
}

/**
 * sigma falls linearly and slowly for the first steps, then ever faster: a line as of a run of linearSteps / threshold steps, continued by
 * the parabola that has its slope and ends at 0 (Movie Gen, arXiv:2410.13720, section 3.4.2; the form of Mochi and of ComfyUI's
 * `linear_quadratic`). Made for flows; elsewhere sigma is relative to alpha.
 *
 * @example
 * linearQuadratic().levels(flow(), { steps: 4 }).map(({ sigma }) => sigma); // => [1, 0.9875, 0.975, 0.725, 0]
 */
export function linearQuadratic(options: LinearQuadraticOptions = {}): Spacing {
  const { threshold = 0.025, linearSteps } = readOptions('core-schedules/linear-quadratic', options);
  checkNumber(WHERE, { threshold }, { above: 0, below: 1 });
  if (linearSteps !== undefined) checkNumber(WHERE, { linearSteps }, { atLeast: 1, kind: 'integer' });
  return defineSpacing({
    name: 'linear-quadratic',
    place: (process, count, { reachesFloor }) => {
      const range = sigmaRange(WHERE, process, options.sigmaMax === undefined ? {} : { sigmaMax: options.sigmaMax });
      const steps = reachesFloor ? count - 1 : count;
      return range.levels(removedShares(steps, threshold, linearSteps).map((share) => range.sigmaMax * (1 - share)));
    },
  });
}

/** Share of the noise that is gone before each step. */
function removedShares(steps: number, threshold: number, linearSteps = Math.floor(steps / 2)): number[] {
  if (steps === 1) return [0];
  checkNumber(WHERE, { linearSteps }, { atLeast: 1, atMost: steps - 1, kind: 'integer' });
  const slope = threshold / linearSteps;
  const rest = steps - linearSteps;
  // threshold + slope k + bend k^2 is 1 after the rest of the steps.
  const bend = (1 - threshold - slope * rest) / rest ** 2;
  return Array.from({ length: steps }, (_, i) =>
    i < linearSteps ? slope * i : threshold + slope * (i - linearSteps) + bend * (i - linearSteps) ** 2,
  );
}
