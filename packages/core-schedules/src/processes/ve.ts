import { checkNumber, readOptions } from '@langevin/tensor';
import { defineNoiseProcess, varianceExploding, type NoiseProcess } from '../noise-process.ts';

export interface VeOptions {
  /** Noise at t = 0, > 0. @default 0.01 */
  readonly sigmaMin?: number;
  /** Noise at t = 1, > sigmaMin. @default 50, the paper's for CIFAR-10 in [0, 1] */
  readonly sigmaMax?: number;
}

/**
 * Variance exploding: alpha = 1, sigma = sigmaMin (sigmaMax / sigmaMin)^t (Song et al. 2021, arXiv:2011.13456, eq. 30). Networks are
 * conditioned on log sigma.
 *
 * @example
 * ve().sigma(1); // => 50
 */
export function ve(options: VeOptions = {}): NoiseProcess {
  const { sigmaMin = 0.01, sigmaMax = 50 } = readOptions('core-schedules/ve', options);
  checkNumber('core-schedules/ve', { sigmaMin }, { above: 0 });
  checkNumber('core-schedules/ve', { sigmaMax }, { above: sigmaMin });
  const low = Math.log(sigmaMin);
  const range = Math.log(sigmaMax / sigmaMin);
  const sigma = (t: number): number => (t === 1 ? sigmaMax : sigmaMin * Math.exp(t * range));
  return defineNoiseProcess({
    name: 've',
    geometry: varianceExploding,
    level: (t) => ({ alpha: 1, sigma: sigma(t) }),
    rates: (t) => ({ alpha: 0, sigma: range * sigma(t) }),
    lambda: (t) => -low - t * range,
    time: (lambda) => (-lambda - low) / range,
    conditioning: (t) => low + t * range,
  });
}
