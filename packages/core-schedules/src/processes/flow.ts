import { defineNoiseProcess, straightFlow, type NoiseProcess } from '../noise-process.ts';

/**
 * The straight path alpha = 1 - t, sigma = t of rectified flow and flow matching (Liu et al. 2022, arXiv:2209.03003;
 * Lipman et al. 2022, arXiv:2210.02747, whose time runs the other way). t = 1 is pure noise.
 */
export function flow(): NoiseProcess {
  return defineNoiseProcess({
    name: 'flow',
    geometry: straightFlow,
    level: (t) => ({ alpha: 1 - t, sigma: t }),
    lambda: (t) => Math.log1p(-t) - Math.log(t),
    time: (lambda) => straightFlow(lambda).sigma,
    conditioning: (t) => 1000 * t,
  });
}
