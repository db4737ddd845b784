import { defineSpacing, type Spacing } from '../grid/spacing.ts';
import { timestepTable } from '../grid/timesteps.ts';

/**
 * Timesteps 1, 1 + r, 1 + 2 r, ... below T with r = max(1, floor(T / N)): ComfyUI's `ddim_uniform`, CompVis' DDIM. Where r N < T - 1
 * there are more than N of them: 30 steps of a chain of 1000 make 31.
 *
 * @example
 * ddimUniform().levels(discreteVp(), { steps: 4 }).map(relativeSigma); // => [17.5114, 3.4619, 0.9632, 0.0148, 0]
 */
export function ddimUniform(): Spacing {
  return defineSpacing({
    name: 'ddim-uniform',
    anyCount: true,
    place: (process, wanted, { reachesFloor }) => {
      const table = timestepTable(process);
      const steps = reachesFloor ? wanted - 1 : wanted;
      const stride = Math.max(1, Math.floor(table.size / steps));
      const count = Math.ceil((table.size - 1) / stride);
      return Array.from({ length: count }, (_, i) => table.level(1 + (count - 1 - i) * stride));
    },
  });
}
