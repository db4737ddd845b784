import { readOptions } from '@langevin/tensor';
import { ramp } from '../grid/ramp.ts';
import { noisyCount, sigmaRange, type SigmaRangeOptions } from '../grid/sigma-range.ts';
import { defineSpacing, type Spacing } from '../grid/spacing.ts';

/**
 * Even in atan(sigma): the steps that lose the least KL divergence on unit Gaussian data (Sabour et al. 2024, arXiv:2404.14507,
 * theorem 3.1). ComfyUI's `kl_optimal`.
 *
 * @example
 * klOptimal({ sigmaMin: 1, sigmaMax: 16 }).levels(edm(), { steps: 3 }).map(({ sigma }) => sigma); // => [16, 2.216, 1, 0]
 */
export function klOptimal(given: SigmaRangeOptions = {}): Spacing {
  const options = readOptions('core-schedules/kl-optimal', given);
  return defineSpacing({
    name: 'kl-optimal',
    place: (process, count, { reachesFloor }) => {
      const { sigmaMin, sigmaMax, levels } = sigmaRange('core-schedules/kl-optimal', process, options);
      const angles = ramp(Math.atan(sigmaMax), Math.atan(sigmaMin), noisyCount(process, count, { reachesFloor }));
      return levels(angles.map((angle, i) => (i === 0 ? sigmaMax : i === angles.length - 1 ? sigmaMin : Math.tan(angle))));
    },
  });
}
