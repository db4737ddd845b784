import { checkNumber } from '../check.ts';
import { defineNoiseProcess, variancePreserving, type NoiseProcess } from '../noise-process.ts';

export interface VpLinearOptions {
  /** beta(0), > 0. @default 0.1 */
  readonly betaMin?: number;
  /** beta(1), > betaMin. @default 20 */
  readonly betaMax?: number;
}

/**
 * Variance preserving with beta(t) linear in continuous time (Song et al. 2021, arXiv:2011.13456, eq. 33):
 * log alpha = -t^2 (betaMax - betaMin) / 4 - t betaMin / 2. Defaults are the paper's, which match the 1000-step chain of DDPM.
 *
 * Samplers stop at t = 1e-3, as there (appendix C): the score grows without bound towards 0.
 *
 * @example
 * vpLinear().alpha(1); // => 0.006571...
 */
export function vpLinear(options: VpLinearOptions = {}): NoiseProcess {
  const { betaMin = 0.1, betaMax = 20 } = options;
  checkNumber('core-schedules/vp-linear', 'betaMin', betaMin, { min: 0, openMin: true });
  checkNumber('core-schedules/vp-linear', 'betaMax', betaMax, { min: betaMin, openMin: true });
  const slope = betaMax - betaMin;
  const logAlpha = (t: number): number => (-t * (t * slope + 2 * betaMin)) / 4;
  /** log sigma^2, exact near t = 0. */
  const logVariance = (t: number): number => Math.log(-Math.expm1(2 * logAlpha(t)));
  return defineNoiseProcess({
    name: 'vp-linear',
    span: { min: 1e-3, max: 1 },
    geometry: variancePreserving,
    level: (t) => ({ alpha: Math.exp(logAlpha(t)), sigma: Math.sqrt(-Math.expm1(2 * logAlpha(t))) }),
    lambda: (t) => logAlpha(t) - logVariance(t) / 2,
    time: (lambda) => {
      // -2 log alpha = log(1 + e^(-2 lambda)) is quadratic in t; this root does not cancel.
      const total = softplus(-2 * lambda);
      return (2 * total) / (betaMin + Math.sqrt(betaMin ** 2 + 2 * slope * total));
    },
    conditioning: (t) => 999 * t,
  });
}

const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
