import { readOptions } from '@langevin/tensor';
import { linearBeta, type LinearBetaOptions } from '../maths/linear-beta.ts';
import { defineNoiseProcess, type Geometry, type NoiseProcess } from '../noise-process.ts';

/** sigma = 1 - alpha^2: with s = sigma / alpha, alpha^2 + s alpha = 1, so that log alpha = -asinh(s / 2). */
const subVariancePreserving: Geometry = (lambda) => {
  const logAlpha = -Math.asinh(Math.exp(-lambda) / 2);
  return { alpha: Math.exp(logAlpha), sigma: -Math.expm1(2 * logAlpha) };
};

/**
 * sub-VP (Song et al. 2021, arXiv:2011.13456, eq. 29): alpha of vp-linear with less noise, sigma = 1 - alpha^2. It is not variance
 * preserving; its likelihoods are the better for it. Diffusion is beta (1 - exp(-2 integral of beta)).
 *
 * @example
 * subVp().sigma(1); // => 0.99996
 */
export function subVp(given: LinearBetaOptions = {}): NoiseProcess {
  const options = readOptions('core-schedules/sub-vp', given);
  const { beta, logAlpha, time } = linearBeta('core-schedules/sub-vp', options);
  const sigma = (t: number): number => -Math.expm1(2 * logAlpha(t));
  return defineNoiseProcess({
    name: 'sub-vp',
    span: { min: 1e-3, max: 1 },
    geometry: subVariancePreserving,
    level: (t) => ({ alpha: Math.exp(logAlpha(t)), sigma: sigma(t) }),
    rates: (t) => ({ alpha: (-beta(t) / 2) * Math.exp(logAlpha(t)), sigma: beta(t) * Math.exp(2 * logAlpha(t)) }),
    sde: (t) => ({ drift: -beta(t) / 2, diffusion: -beta(t) * Math.expm1(4 * logAlpha(t)) }),
    lambda: (t) => logAlpha(t) - Math.log(sigma(t)),
    time: (lambda) => time(2 * Math.asinh(Math.exp(-lambda) / 2)),
    conditioning: (t) => 999 * t,
  });
}
