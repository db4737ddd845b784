import { lambdaOf, sigmaLevel } from '@langevin/core';
import { checkNumber, readOptions, UserError } from '@langevin/tensor';
import { defineNoiseDistribution, type NoiseDistribution } from '../noise-distribution.ts';
import { invertIncreasing } from '../distribution-parts/over-times.ts';

export interface CosineInterpolatedOptions {
  /** Side of the images, > 0. */
  readonly imageSize: number;
  /** Side of images for which the cosine schedule needs no shift, at the noisy end. @default 32 */
  readonly noiseSizeLow?: number;
  /** The same at the clean end, >= noiseSizeLow. @default imageSize, or noiseSizeLow if that is more */
  readonly noiseSizeHigh?: number;
  /** Deviation of the data, > 0. @default 1 */
  readonly sigmaData?: number;
  /** Least noise, > 0. @default 1e-3 */
  readonly sigmaMin?: number;
  /** Most noise, > sigmaMin. @default 1e3 */
  readonly sigmaMax?: number;
}

/**
 * log SNR between those of two cosine schedules, each shifted by an image size of its own, one at the noisy end and one at the clean
 * end (Hoogeboom et al. 2023, arXiv:2301.11093, section 3.1), in EDM units as in k-diffusion.
 *
 * @example
 * cosineInterpolatedSigmas({ imageSize: 64 }).quantile(0.5).sigma; // => 1.4132
 */
export function cosineInterpolatedSigmas(options: CosineInterpolatedOptions): NoiseDistribution {
  const {
    imageSize,
    noiseSizeLow = 32,
    noiseSizeHigh = Math.max(imageSize, noiseSizeLow),
    sigmaData = 1,
    sigmaMin = 1e-3,
    sigmaMax = 1e3,
  } = readOptions('core-schedules/cosine-interpolated', options);
  const where = 'core-schedules/cosine-interpolated-sigmas';
  if (typeof imageSize !== 'number')
    throw new UserError(`[${where}] the size of the images is not known: imageSize=${String(imageSize)}. Pass their side in pixels.`);
  for (const [name, value] of Object.entries({ imageSize, noiseSizeLow, noiseSizeHigh, sigmaData, sigmaMin }))
    checkNumber(where, { [name]: value }, { above: 0 });
  checkNumber(where, { noiseSizeHigh }, { atLeast: noiseSizeLow });
  checkNumber(where, { sigmaMax }, { above: sigmaMin });
  const range = { min: -2 * Math.log(sigmaMax / sigmaData), max: -2 * Math.log(sigmaMin / sigmaData) };
  /** log SNR at u: the cosine schedule between the ends of the range, moved by the shift but for its ends. */
  const shifted = (u: number, noiseSize: number): number => {
    const shift = 2 * Math.log(noiseSize / imageSize);
    const first = Math.atan(Math.exp((shift - range.max) / 2));
    const last = Math.atan(Math.exp((shift - range.min) / 2));
    return shift - 2 * Math.log(Math.tan(first + u * (last - first)));
  };
  const logSigma = (u: number): number => Math.log(sigmaData) - (u * shifted(u, noiseSizeLow) + (1 - u) * shifted(u, noiseSizeHigh)) / 2;
  return defineNoiseDistribution({
    name: 'cosine-interpolated-sigmas',
    quantile: (u) => sigmaLevel(Math.exp(logSigma(u))),
    cdf: (level) => invertIncreasing(logSigma, -lambdaOf(level)),
  });
}
