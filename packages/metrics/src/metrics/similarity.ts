import { defineMetric, type Metric } from '../metric.ts';
import { psnr } from '../pictures/psnr.ts';
import { ssim } from '../pictures/ssim.ts';

/** How alike pictures and their originals are: for reconstructions. */
export function similarityMetric(): Metric {
  return defineMetric({
    name: 'similarity',
    summary: 'PSNR and SSIM of each picture with its original, averaged: for reconstructions.',
    source: 'Wang, Bovik, Sheikh and Simoncelli 2004',
    needs: { samples: ['pairs'], data: ['pairs'] },
    least: 1,
    measure: ({ samples, data }) => {
      const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
      const n = samples.pairs.shape[0].toLocaleString('en-US');
      return [
        { key: 'psnr', name: `PSNR in dB (mean of ${n})`, value: mean(psnr(samples.pairs, data.pairs)), better: 'more' },
        { key: 'ssim', name: `SSIM (mean of ${n})`, value: mean(ssim(samples.pairs, data.pairs)), better: 'more' },
      ];
    },
  });
}
