import { defineSampler, type Sampler } from '@langevin/core';
import { lcm } from './lcm.ts';

/**
 * Multistep sampling of continuous-time consistency models on TrigFlow (Lu and Song 2024, arXiv:2410.11081, section 2.1).
 *
 * TrigFlow's x = cos(t) x0 + sin(t) z, with z as spread as the data, is the level alpha = cos t, sigma = sigmaData sin t, and its
 * f(x, t) = cos(t) x - sin(t) sigmaData F is the x0-prediction. In these terms x' = cos(t') f + sin(t') z is the rule of
 * {@link lcm}; what differs is levels and network. TrigFlow's deterministic step, the rotation
 * cos(t - t') x - sin(t - t') sigmaData F, is `ddim()` on these levels.
 *
 * @example
 * const levels = linspaceTimes().levels(trigflow({ sigmaData: 1 }), { steps: 2 });
 * const [x, noise] = [Float64Array.of(1), imageNoise({ seed: 0 })];
 * const denoise = defineDenoiser({ nfe: 1, denoise: (x: Float64Array) => x.map(() => 0.5) });
 * await sample({ sampler: scm(), denoise, x, levels, noise }); // => [0.5]
 */
export function scm(): Sampler {
  return defineSampler({ ...lcm(), name: 'scm', paper: 'arXiv:2410.11081, section 2.1' });
}
