import { logistic } from '@langevin/tensor';
import type { FloatArray } from '../gaussians.ts';

/** weight times the mean opacity; its gradient is added to `into` (Kheradmand et al. 2024, eq. 10). */
export function addOpacityRegularizer(opacityLogits: FloatArray, options: { readonly weight: number; readonly into: FloatArray }): number {
  const { weight, into } = options;
  const scale = weight / Math.max(1, opacityLogits.length);
  let sum = 0;
  for (let i = 0; i < opacityLogits.length; i++) {
    const opacity = logistic(opacityLogits[i]!);
    sum += opacity;
    into[i] = into[i]! + scale * opacity * (1 - opacity);
  }
  return scale * sum;
}

/** weight times the mean standard deviation; its gradient is added to `into` (Kheradmand et al. 2024, eq. 10). */
export function addScaleRegularizer(logScales: FloatArray, options: { readonly weight: number; readonly into: FloatArray }): number {
  const { weight, into } = options;
  const scale = weight / Math.max(1, logScales.length);
  let sum = 0;
  for (let i = 0; i < logScales.length; i++) {
    const deviation = Math.exp(logScales[i]!);
    sum += deviation;
    into[i] = into[i]! + scale * deviation;
  }
  return scale * sum;
}
