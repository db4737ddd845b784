import { featureSet, type FeatureInfo, type FeatureSet } from '@langevin/metrics';

export const info = (width: number): FeatureInfo => ({ name: 'made-up', layer: 'none', width, hash: 'none', input: 'as they are' });

/** In [0, 1), by the formula of tooling/parity/metrics_golden.py. */
export function uniform(i: number, j: number, phase: number): number {
  const x = Math.sin(12.9898 * (i + 1) + 78.233 * (j + 1) + phase) * 43758.5453;
  return x - Math.floor(x);
}

export interface Recipe {
  readonly count: number;
  readonly width: number;
  readonly phase: number;
  readonly shift: number;
  readonly scale: number;
}

/** Bell-shaped numbers, by the formula of tooling/parity/metrics_golden.py. */
export function features({ count, width, phase, shift, scale }: Recipe): FeatureSet {
  const rows = Float64Array.from({ length: count * width }, (_, k) => {
    const [i, j] = [Math.floor(k / width), k % width];
    return shift + scale * (1 + j / width) * (uniform(i, j, phase) + uniform(i, j, phase + 1) + uniform(i, j, phase + 2) - 1.5);
  });
  return featureSet(info(width), rows);
}

/** Standard normal numbers from pairs of uniform ones. */
export function gaussian({ count, width, phase, shift, scale }: Recipe): FeatureSet {
  const rows = Float64Array.from({ length: count * width }, (_, k) => {
    const [u, v] = [uniform(k, 1, phase), uniform(k, 2, phase)];
    return shift + scale * Math.sqrt(-2 * Math.log(1 - u)) * Math.cos(2 * Math.PI * v);
  });
  return featureSet(info(width), rows);
}
