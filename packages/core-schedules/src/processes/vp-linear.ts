import { readOptions } from '@langevin/tensor';
import { linearBeta, type LinearBetaOptions } from '../maths/linear-beta.ts';
import { defineNoiseProcess, variancePreserving, type NoiseProcess } from '../noise-process.ts';

/**
 * Variance preserving with beta(t) linear in continuous time (Song et al. 2021, arXiv:2011.13456, eq. 33):
 * log alpha = -t^2 (betaMax - betaMin) / 4 - t betaMin / 2. Defaults are the paper's, which match the 1000-step chain of DDPM.
 *
 * Samplers stop at t = 1e-3, as there (appendix C): the score grows without bound towards 0.
 *
 * @example
 * vpLinear().alpha(1); // => 0.006572
 */
export function vpLinear(given: LinearBetaOptions = {}): NoiseProcess {
  const options = readOptions('core-schedules/vp-linear', given);
  const { beta, logAlpha, time } = linearBeta('core-schedules/vp-linear', options);
  /** sigma^2, exact near t = 0. */
  const variance = (t: number): number => -Math.expm1(2 * logAlpha(t));
  return defineNoiseProcess({
    name: 'vp-linear',
    span: { min: 1e-3, max: 1 },
    geometry: variancePreserving,
    level: (t) => ({ alpha: Math.exp(logAlpha(t)), sigma: Math.sqrt(variance(t)) }),
    rates: (t) => {
      const alpha = Math.exp(logAlpha(t));
      return { alpha: (-beta(t) / 2) * alpha, sigma: (beta(t) / 2) * (alpha ** 2 / Math.sqrt(variance(t))) };
    },
    sde: (t) => ({ drift: -beta(t) / 2, diffusion: beta(t) }),
    lambda: (t) => logAlpha(t) - Math.log(variance(t)) / 2,
    // -2 log alpha = log(1 + e^(-2 lambda))
    time: (lambda) => time(softplus(-2 * lambda)),
    conditioning: (t) => 999 * t,
  });
}

const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
