import { defineMetric, type Metric } from '../metric.ts';
import { captionScore, type CaptionScale } from '../scores/caption-score.ts';

export interface CaptionScoreMetricOptions {
  /** @default 'cosine' */
  readonly scale?: CaptionScale;
}

/** Whether pictures show what their captions say. */
export function captionScoreMetric({ scale = 'cosine' }: CaptionScoreMetricOptions = {}): Metric {
  return defineMetric({
    name: 'caption-score',
    summary: 'Cosine of pictures and their captions, and how often the right caption is the nearest; CLIP score only with CLIP.',
    source: 'Hessel et al. 2021, arXiv:2104.08718, eq. 1',
    needs: { samples: ['embeddings'] },
    least: 2,
    measure: ({ samples }) => {
      const { value, rPrecision, count } = captionScore(samples.embeddings.pictures, samples.embeddings.captions, { scale });
      const n = count.toLocaleString('en-US');
      return [
        { key: 'captionScore', name: `caption score (${scale}, ${n})`, value, better: 'more' },
        { key: 'rPrecision', name: `own caption is the nearest of ${n}`, value: rPrecision, better: 'more' },
      ];
    },
  });
}
