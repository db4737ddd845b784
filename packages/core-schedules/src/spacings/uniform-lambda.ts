import { defineSpacing, ramp, type Spacing } from './spacing.ts';
import { levelsOfSigmas, sigmaRange, type SigmaRangeOptions } from './sigma-range.ts';

/**
 * Even in lambda = log(alpha / sigma), that is exponential in sigma: DPM-Solver's "logSNR" (Lu et al. 2022, arXiv:2206.00927,
 * section 3.4), which k-diffusion calls "exponential". High-order samplers show their order here.
 *
 * @example
 * uniformLambda().levels(edm({ sigmaMin: 1, sigmaMax: 100 }), { steps: 2, end: 'floor' }).map(({ sigma }) => sigma); // => [100.0, 10.0, 1.0]
 */
export function uniformLambda(options: SigmaRangeOptions = {}): Spacing {
  return defineSpacing({
    name: 'uniform-lambda',
    place: (process, count) => {
      const { sigmaMin, sigmaMax } = sigmaRange('core-schedules/uniform-lambda', process, options);
      return levelsOfSigmas(process, ramp(Math.log(sigmaMax), Math.log(sigmaMin), count).map(Math.exp));
    },
  });
}
