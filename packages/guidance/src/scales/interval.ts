import { relativeSigma } from '@langevin/core';
import { checkNumber, readOptions, UserError } from '@langevin/tensor';
import { scaleAt, type Scale } from './scale.ts';

export interface IntervalOptions {
  /** Within the interval; outside it is 1. */
  readonly scale: Scale;
  /** Guidance begins above this noise-to-signal ratio, >= 0. @default 0 */
  readonly sigmaMin?: number;
  /** And ends at that one, which belongs to the interval. @default Infinity */
  readonly sigmaMax?: number;
}

/**
 * A scale for an interval of noise levels, sigmaMin < sigma / alpha <= sigmaMax, and none (1) outside, where a step then costs one
 * evaluation (Kynkaanniemi et al. 2024, arXiv:2404.07724, eq. 6). For EDM2-XXL on ImageNet-512 they found 0.19 to 1.61.
 *
 * @throws UserError for an interval that is empty or out of range
 * @example
 * const scale = intervalScale({ scale: 3, sigmaMin: 0.19, sigmaMax: 1.61 });
 * [2, 1.61, 0.19].map((sigma) => scale(sigmaLevel(sigma))); // => [1, 3, 1]
 */
export function intervalScale(options: IntervalOptions): Exclude<Scale, number> {
  const where = 'guidance/interval';
  const { scale, sigmaMin = 0, sigmaMax = Infinity } = readOptions(where, options);
  checkNumber(where, { sigmaMin }, { atLeast: 0 });
  checkNumber(where, { sigmaMax }, { above: 0, infinity: 'allowed' });
  if (sigmaMin >= sigmaMax)
    throw new UserError(`[${where}] interval is empty: sigmaMin=${sigmaMin}, sigmaMax=${sigmaMax}. Pass sigmaMin below sigmaMax.`);
  const inside = scaleAt(where, 'scale', scale);
  return (at) => {
    const sigma = relativeSigma(at);
    return sigma > sigmaMin && sigma <= sigmaMax ? inside(at) : 1;
  };
}
