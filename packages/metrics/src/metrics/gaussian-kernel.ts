import { unbiasedDiscrepancy } from '../distances/kernel.ts';
import { pickItems, type FeatureSet } from '../features/feature-set.ts';
import { against, defineMetric, type Metric } from '../metric.ts';

export interface GaussianKernelMetricOptions {
  /** In units of the features. @default the median distance between items of the data, of at most 500 of them */
  readonly bandwidth?: number;
}

/** Items that the median is of. */
const MOST = 500;

/** The unbiased distance under a Gaussian kernel, which sees all moments and does not take features to be Gaussian. */
export function gaussianKernelMetric({ bandwidth }: GaussianKernelMetricOptions = {}): Metric {
  return defineMetric({
    name: 'gaussian-kernel',
    summary: 'Unbiased Gaussian-kernel distance, times 1000; called CMMD only on the official CLIP network with bandwidth 10.',
    source: 'Gretton et al. 2012, eq. 3; Jayasumana et al. 2024, arXiv:2401.09603, section 4',
    needs: { samples: ['features'], data: ['features'] },
    least: 2,
    measure: async ({ samples, data }, { engine, signal, progress }) => {
      const gaussian = bandwidth ?? medianDistance(data.features);
      const value = await unbiasedDiscrepancy(samples.features, data.features, { kernel: { gaussian }, engine, signal, progress });
      const counts = against(samples.features.count, data.features.count);
      const name = `Gaussian-kernel distance x 1000 (bandwidth ${Number(gaussian.toPrecision(3))}, ${counts})`;
      return [{ key: 'gaussianKernel', name, value: 1000 * value, better: 'less' }];
    },
  });
}

/** The median heuristic: a bandwidth at which neither all items look alike nor all differ. */
function medianDistance(all: FeatureSet): number {
  const step = Math.max(1, Math.floor(all.count / MOST));
  const set = pickItems(
    all,
    Array.from({ length: Math.min(all.count, MOST) }, (_, i) => i * step),
  );
  const distances: number[] = [];
  for (let i = 0; i < set.count; i += 1) {
    for (let j = 0; j < i; j += 1) {
      let sum = 0;
      for (let k = 0; k < set.width; k += 1) sum += (set.rows[i * set.width + k]! - set.rows[j * set.width + k]!) ** 2;
      distances.push(Math.sqrt(sum));
    }
  }
  distances.sort((a, b) => a - b);
  // Where half of all pairs are equal, any scale does.
  return distances[distances.length >> 1]! || 1;
}
