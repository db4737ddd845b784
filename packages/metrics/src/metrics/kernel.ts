import { kernelDistance } from '../distances/kernel.ts';
import { defineMetric, type Metric } from '../metric.ts';

export interface KernelMetricOptions {
  /** Pairs of subsets. @default 100, as torchmetrics does */
  readonly subsets?: number;
  /** @default 1000, or half of the smaller set where that is fewer */
  readonly subsetSize?: number;
}

/** The unbiased kernel distance with its error. */
export function kernelMetric({ subsets = 100, subsetSize }: KernelMetricOptions = {}): Metric {
  return defineMetric({
    name: 'kernel',
    summary: 'Unbiased cubic-kernel distance with its error; called KID only on the official Inception network.',
    source: 'Binkowski et al. 2018, arXiv:1801.01401, section 4',
    needs: { samples: ['features'], data: ['features'] },
    least: 2,
    measure: async ({ samples, data }, options) => {
      const size = subsetSize === undefined ? {} : { subsetSize };
      const found = await kernelDistance(samples.features, data.features, { ...options, ...size, subsets });
      return [
        {
          key: 'kernel',
          name: `kernel distance (${found.subsets} subsets of ${found.subsetSize.toLocaleString('en-US')})`,
          value: found.value,
          error: { value: found.standardError, kind: 'standard error' },
          better: 'less',
        },
      ];
    },
  });
}
