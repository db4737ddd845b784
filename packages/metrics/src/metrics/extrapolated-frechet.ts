import { extrapolatedFrechet } from '../distances/extrapolate.ts';
import { defineMetric, type Metric } from '../metric.ts';

/** The Frechet distance as it would be of infinitely many samples. */
export function extrapolatedFrechetMetric(): Metric {
  return defineMetric({
    name: 'extrapolated-frechet',
    summary: 'The Frechet distance followed to infinitely many samples, with its standard error.',
    source: 'Chong and Forsyth 2020, arXiv:1911.07023, section 3',
    needs: { samples: ['features'], data: ['features'] },
    least: 30,
    measure: async ({ samples, data }, { seed = 0, signal, progress }) => {
      const found = await extrapolatedFrechet(samples.features, data.features, { seed, signal, progress });
      const { value, standardError, points } = found;
      const [first, last] = [points[0]!.count, points.at(-1)!.count].map((count) => count.toLocaleString('en-US'));
      return [
        {
          key: 'extrapolatedFrechet',
          name: `Frechet distance, extrapolated (line through ${points.length} sizes, ${first} to ${last})`,
          value,
          error: { value: standardError, kind: 'standard error' },
          better: 'less',
        },
      ];
    },
  });
}
