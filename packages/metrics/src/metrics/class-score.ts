import { defineMetric, type Metric } from '../metric.ts';
import { classScore } from '../scores/class-score.ts';

export interface ClassScoreMetricOptions {
  /** The list is cut into so many parts, in order. @default 10 */
  readonly splits?: number;
}

/** The form of the inception score. */
export function classScoreMetric({ splits = 10 }: ClassScoreMetricOptions = {}): Metric {
  return defineMetric({
    name: 'class-score',
    summary: 'Whether each picture has a clear class and all classes occur; inception score only with the official network.',
    source: 'Salimans et al. 2016, arXiv:1606.03498, section 4',
    needs: { samples: ['probabilities'] },
    least: splits,
    measure: ({ samples }) => {
      const { value, std } = classScore(samples.probabilities, { splits });
      const { probabilities, classes } = samples.probabilities;
      const count = (probabilities.length / classes).toLocaleString('en-US');
      const error = { value: std, kind: 'standard deviation' } as const;
      return [{ key: 'classScore', name: `class score (${classes} classes, ${splits} splits of ${count})`, value, error, better: 'more' }];
    },
  });
}
