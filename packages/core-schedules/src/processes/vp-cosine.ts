import { checkNumber, readOptions } from '@langevin/tensor';
import { defineNoiseProcess, variancePreserving, type NoiseProcess } from '../noise-process.ts';

export interface VpCosineOptions {
  /** Offset that keeps the first noise from vanishing, in (0, 1). @default 0.008, the paper's: about one step of 8-bit pixels */
  readonly offset?: number;
}

/**
 * Variance preserving with alpha^2 = cos^2(pi/2 (t + s) / (1 + s)) / cos^2(pi/2 s / (1 + s)) (Nichol and Dhariwal 2021,
 * arXiv:2102.09672, eq. 17). alpha(1) is exactly 0.
 *
 * Samplers start at t = 0.9946, where its lambda is still finite (Lu et al. 2022, arXiv:2206.00927, appendix D.4).
 *
 * @example
 * vpCosine().alpha(0.5); // => 0.7027
 */
export function vpCosine(options: VpCosineOptions = {}): NoiseProcess {
  const { offset = 0.008 } = readOptions('core-schedules/vp-cosine', options);
  checkNumber('core-schedules/vp-cosine', { offset }, { above: 0, below: 1 });
  const angle = (t: number): number => ((Math.PI / 2) * (t + offset)) / (1 + offset);
  const speed = Math.PI / 2 / (1 + offset);
  const start = angle(0);
  const alpha = (t: number): number => (t === 1 ? 0 : Math.cos(angle(t)) / Math.cos(start));
  // 1 - alpha^2 as a product of sines, so that it does not cancel near t = 0.
  const sigma = (t: number): number => Math.sqrt(Math.sin(angle(t) + start) * Math.sin(angle(t) - start)) / Math.cos(start);
  return defineNoiseProcess({
    name: 'vp-cosine',
    span: { min: 1e-3, max: 0.9946 },
    geometry: variancePreserving,
    level: (t) => ({ alpha: alpha(t), sigma: t === 1 ? 1 : sigma(t) }),
    rates: (t) => {
      const falling = (-speed * Math.sin(angle(t))) / Math.cos(start);
      return { alpha: falling, sigma: t === 1 ? 0 : (-alpha(t) * falling) / sigma(t) };
    },
    // d log alpha / dt is -speed tan(angle), infinite at t = 1.
    sde: (t) => {
      const drift = t === 1 ? -Infinity : -speed * Math.tan(angle(t));
      return { drift, diffusion: -2 * drift };
    },
    lambda: (t) => Math.log(alpha(t)) - Math.log(t === 1 ? 1 : sigma(t)),
    time: (lambda) => {
      const ratio = variancePreserving(lambda).alpha * Math.cos(start);
      return ((2 * (1 + offset)) / Math.PI) * Math.acos(Math.min(1, ratio)) - offset;
    },
    conditioning: (t) => 999 * t,
  });
}
