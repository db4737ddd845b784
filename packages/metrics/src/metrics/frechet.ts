import { frechetOfFits } from '../distances/frechet.ts';
import { fitOfSet } from '../distances/gaussian-fit.ts';
import { against, defineMetric, type Metric } from '../metric.ts';

/** The Frechet distance of the features' means and covariances, with its bias of order 1 / count. */
export function frechetMetric(): Metric {
  return defineMetric({
    name: 'frechet',
    summary: 'Distance of the Gaussians of two sets of features; called FID only on the official Inception network.',
    source: 'Heusel et al. 2017, arXiv:1706.08500, eq. 6',
    needs: { samples: ['features'], data: ['features'] },
    least: 2,
    measure: ({ samples, data }) => {
      const { value, counts } = frechetOfFits(fitOfSet(samples.features), fitOfSet(data.features));
      return [{ key: 'frechet', name: `Frechet distance (${against(...counts)})`, value, better: 'less' }];
    },
  });
}
