import { checkNumber, readOptions } from '@langevin/tensor';
import { defineNoiseProcess, variancePreserving, type NoiseProcess } from '../noise-process.ts';

export interface TrigflowOptions {
  /** Standard deviation of the data, and of pure noise, > 0. @default 0.5, the paper's; 1 is the trigonometric one-sided interpolant */
  readonly sigmaData?: number;
  /** Least and greatest sigma / alpha at which samplers work by default. @default 0.002 and 80, EDM's */
  readonly sigmaMin?: number;
  readonly sigmaMax?: number;
}

/**
 * x = cos(angle) x0 + sin(angle) z with noise z of the data's deviation, angle = t pi / 2 (Lu and Song 2024, arXiv:2410.11081, section 3):
 * alpha = cos, sigma = sigmaData sin, so that the state has the same variance at every time. Networks are conditioned on the angle.
 *
 * sigma / alpha = sigmaData tan(angle) is EDM's sigma.
 *
 * @example
 * trigflow({ sigmaData: 1 }).level(Math.PI / 4); // => { alpha: 0.3307, sigma: 0.9437 }
 */
export function trigflow(options: TrigflowOptions = {}): NoiseProcess {
  const { sigmaData = 0.5, sigmaMin = 0.002, sigmaMax = 80 } = readOptions('core-schedules/trigflow', options);
  checkNumber('core-schedules/trigflow', { sigmaData }, { above: 0 });
  checkNumber('core-schedules/trigflow', { sigmaMin }, { above: 0 });
  checkNumber('core-schedules/trigflow', { sigmaMax }, { above: sigmaMin });
  const quarter = Math.PI / 2;
  const offset = Math.log(sigmaData);
  const cos = (t: number): number => Math.sin(quarter * (1 - t));
  const sin = (t: number): number => Math.sin(quarter * t);
  const timeOfSigma = (relative: number): number => Math.atan(relative / sigmaData) / quarter;
  return defineNoiseProcess({
    name: 'trigflow',
    span: { min: timeOfSigma(sigmaMin), max: timeOfSigma(sigmaMax) },
    geometry: (lambda) => {
      const { alpha, sigma } = variancePreserving(lambda + offset);
      return { alpha, sigma: sigmaData * sigma };
    },
    level: (t) => ({ alpha: cos(t), sigma: sigmaData * sin(t) }),
    rates: (t) => ({ alpha: -quarter * sin(t), sigma: sigmaData * quarter * cos(t) }),
    lambda: (t) => Math.log(cos(t)) - Math.log(sin(t)) - offset,
    time: (lambda) => timeOfSigma(Math.exp(-lambda)),
    conditioning: (t) => quarter * t,
    usual: { preconditioning: 'trigflow' },
  });
}
