import { ramp, withoutRepeats } from '../grid/ramp.ts';
import { defineSpacing, type Spacing } from '../grid/spacing.ts';
import { isChain, levelsOfSteps } from '../grid/timesteps.ts';

/** DDIM leaves out the noisiest fifth of a chain. */
const REACH = 0.8;

/**
 * Even in the square root of time. On a chain of T steps: int(linspace(0, sqrt(0.8 T), N)^2) + 1, DDIM's "quad" (Song et al. 2021,
 * arXiv:2010.02502, appendix D.2, as in CompVis' code); steps that coincide are taken once.
 *
 * @example
 * quadraticTimes().levels(discreteVp(), { steps: 4 }).map(relativeSigma); // => [25.9454, 1.639, 0.3048, 0.0148, 0]
 */
export function quadraticTimes(): Spacing {
  return defineSpacing({
    name: 'quadratic',
    anyCount: true,
    place: (process, count, { reachesFloor }) => {
      if (isChain(process)) {
        const steps = ramp(Math.sqrt(process.steps * REACH), 0, reachesFloor ? count - 1 : count).map((root) =>
          Math.min(process.steps - 1, Math.floor(root ** 2) + 1),
        );
        return levelsOfSteps(process, withoutRepeats(steps));
      }
      const { min, max } = process.span;
      return ramp(Math.sqrt(max), Math.sqrt(min), count).map((root, i) => process.level(i === 0 ? max : i === count - 1 ? min : root ** 2));
    },
  });
}
