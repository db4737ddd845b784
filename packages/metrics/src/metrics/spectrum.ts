import { against, defineMetric, type Metric } from '../metric.ts';
import { spectralDistance } from '../spectra/spectrum.ts';

/** How much power at each fineness of detail differs from that of the data. */
export function spectrumMetric(): Metric {
  return defineMetric({
    name: 'spectrum',
    summary: 'Log distance of radially averaged power spectra: blur, grain, checkerboards; nothing of what pictures show.',
    source: 'Durall et al. 2020, arXiv:2003.01826, section 3.1',
    needs: { samples: ['spectrum'], data: ['spectrum'] },
    least: 1,
    measure: ({ samples, data }) => {
      const { value, decibels, counts } = spectralDistance(samples.spectrum, data.spectrum);
      const finest = decibels.slice(-Math.ceil(decibels.length / 4));
      return [
        { key: 'spectralDistance', name: `spectral distance in dB (${against(...counts)})`, value, better: 'less' },
        {
          key: 'fineDetail',
          name: `power of the finest quarter of details over that of the data, in dB`,
          value: finest.reduce((sum, each) => sum + each, 0) / finest.length,
          better: 'as data',
        },
      ];
    },
  });
}
