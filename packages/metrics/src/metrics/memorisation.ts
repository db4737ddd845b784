import { defineMetric, type Metric } from '../metric.ts';
import { memorisation } from '../neighbours/memorisation.ts';

export interface MemorisationMetricOptions {
  /** Share of held-out data that counts as copied by definition. @default 0.01 */
  readonly quantile?: number;
}

/** Whether samples are nearer to the training data than data is that was never seen. */
export function memorisationMetric({ quantile = 0.01 }: MemorisationMetricOptions = {}): Metric {
  return defineMetric({
    name: 'memorisation',
    summary: 'Share of samples that are nearer to a training picture than all but a hundredth of held-out data is.',
    source: 'Meehan et al. 2020, arXiv:2004.05675, at one quantile',
    needs: { samples: ['features'], data: ['features'], training: ['features'] },
    least: 1,
    measure: async ({ samples, data, training }, { engine, signal, progress }) => {
      const sets = { samples: samples.features, training: training.features, heldOut: data.features };
      const found = await memorisation(sets, { quantile, engine, signal, progress });
      const count = (n: number): string => n.toLocaleString('en-US');
      const name =
        `copied (below the ${quantile} quantile of held-out data, ${count(samples.features.count)} against `
        + `${count(training.features.count)} of training)`;
      return [
        { key: 'copied', name, value: found.copied, better: 'as data' },
        {
          key: 'nearestTraining',
          name: `median distance to the nearest training picture, over that of held-out data`,
          value: found.medianOfSamples / found.medianOfHeldOut,
          better: 'as data',
        },
      ];
    },
  });
}
