import { against, defineMetric, type Metric, type MetricValue } from '../metric.ts';
import { precisionRecall } from '../neighbours/precision-recall.ts';

export interface PrecisionRecallMetricOptions {
  /** Neighbours that make the radius of a ball. @default 5 */
  readonly k?: number;
}

/** Whether samples look like data, and whether all of the data is covered. */
export function precisionRecallMetric({ k = 5 }: PrecisionRecallMetricOptions = {}): Metric {
  return defineMetric({
    name: 'precision-recall',
    summary: 'Precision, recall, density and coverage by balls of the k-th neighbour.',
    source: 'Kynkaanniemi et al. 2019, arXiv:1904.06991; Naeem et al. 2020, arXiv:2002.09797',
    needs: { samples: ['features'], data: ['features'] },
    least: k + 1,
    measure: async ({ samples, data }, { engine, signal, progress }) => {
      const found = await precisionRecall(samples.features, data.features, { k, engine, signal, progress });
      const row = (key: 'precision' | 'recall' | 'density' | 'coverage', better: MetricValue['better']): MetricValue => ({
        ...{ key, better, value: found[key] },
        name: `${key} (k=${k}, ${against(...found.counts)})`,
      });
      return [row('precision', 'more'), row('recall', 'more'), row('density', 'as data'), row('coverage', 'more')];
    },
  });
}
