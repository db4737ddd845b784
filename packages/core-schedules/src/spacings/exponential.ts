import { readOptions } from '@langevin/tensor';
import { ramp } from '../grid/ramp.ts';
import { noisyCount, sigmaRange, type SigmaRangeOptions } from '../grid/sigma-range.ts';
import { defineSpacing, type Spacing } from '../grid/spacing.ts';

/**
 * Even in log sigma: k-diffusion's `get_sigmas_exponential`, by which name ComfyUI and diffusers have it. Where sigma is relative to
 * alpha it is the same as `uniform-lambda`; on straight paths it is even in the logarithm of sigma itself.
 *
 * @example
 * exponential({ sigmaMin: 1, sigmaMax: 16 }).levels(edm(), { steps: 3 }).map(({ sigma }) => sigma); // => [16, 4, 1, 0]
 */
export function exponential(given: SigmaRangeOptions = {}): Spacing {
  const options = readOptions('core-schedules/exponential', given);
  return defineSpacing({
    name: 'exponential',
    place: (process, count, { reachesFloor }) => {
      const { sigmaMin, sigmaMax, levels } = sigmaRange('core-schedules/exponential', process, options);
      const logs = ramp(Math.log(sigmaMax), Math.log(sigmaMin), noisyCount(process, count, { reachesFloor }));
      return levels(logs.map((log, i) => (i === 0 ? sigmaMax : i === logs.length - 1 ? sigmaMin : Math.exp(log))));
    },
  });
}
