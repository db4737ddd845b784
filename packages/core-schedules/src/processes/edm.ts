import { checkNumber, readOptions } from '@langevin/tensor';
import { defineNoiseProcess, varianceExploding, type NoiseProcess } from '../noise-process.ts';

export interface EdmOptions {
  /** Noise at t = 0, in units of the data, > 0. @default 0.002 */
  readonly sigmaMin?: number;
  /** Noise at t = 1, > sigmaMin. @default 80 */
  readonly sigmaMax?: number;
  /** Curvature of time: equal steps of t are Karras' noise levels. @default 7 */
  readonly rho?: number;
}

/**
 * alpha = 1 and sigma from sigmaMin to sigmaMax (Karras et al. 2022, arXiv:2206.00364, table 1, column "Ours").
 *
 * The paper's time is sigma itself; here t in [0, 1] as for every process, with sigma(t) evenly spaced in sigma^(1/rho).
 * Levels outside the range are levels still: `levelOf(-Math.log(sigma))`.
 *
 * @example
 * edm().sigma(1); // => 80
 */
export function edm(options: EdmOptions = {}): NoiseProcess {
  const { sigmaMin = 0.002, sigmaMax = 80, rho = 7 } = readOptions('core-schedules/edm', options);
  checkNumber('core-schedules/edm', { sigmaMin }, { above: 0 });
  checkNumber('core-schedules/edm', { sigmaMax }, { above: sigmaMin });
  checkNumber('core-schedules/edm', { rho }, { above: 0 });
  const low = sigmaMin ** (1 / rho);
  const high = sigmaMax ** (1 / rho);
  const sigma = (t: number): number => {
    if (t === 0) return sigmaMin;
    return t === 1 ? sigmaMax : (low + t * (high - low)) ** rho;
  };
  return defineNoiseProcess({
    name: 'edm',
    geometry: varianceExploding,
    level: (t) => ({ alpha: 1, sigma: sigma(t) }),
    rates: (t) => ({ alpha: 0, sigma: rho * (high - low) * (low + t * (high - low)) ** (rho - 1) }),
    lambda: (t) => -Math.log(sigma(t)),
    time: (lambda) => (Math.exp(-lambda / rho) - low) / (high - low),
    conditioning: (t) => Math.log(sigma(t)) / 4,
    usual: { preconditioning: 'edm', levels: 'log-normal', spacing: { name: 'karras', options: { rho } }, sampler: 'heun' },
    scheduler: {
      network: 'edm',
      config: {
        ...{ _class_name: 'EDMEulerScheduler', sigma_min: sigmaMin, sigma_max: sigmaMax, rho, sigma_schedule: 'karras' },
        ...{ prediction_type: 'epsilon', num_train_timesteps: 1000 },
      },
    },
  });
}
