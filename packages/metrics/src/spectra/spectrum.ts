import { checkNumber, shownValue, UserError } from '@langevin/tensor';
import { checkPictures, type Pictures } from '../pictures/pair.ts';
import { checkGiven } from '../features/given.ts';
import { powerOf } from './fourier.ts';

/**
 * The radially averaged power spectrum of a stream of pictures: plain data, so that a long evaluation can be saved after any batch and gone
 * on with.
 */
export interface Spectrum {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  /** Pictures. */
  readonly count: number;
  /** Sum over pictures of the mean power of each ring, [rings]; ring k has k periods in the shorter side. Ring 0 is the mean brightness. */
  readonly sum: Float64Array;
}

/** The largest picture: 16 million numbers for each channel. */
const MOST_PIXELS = 2 ** 24;

/** A spectrum of no pictures, to add to. */
export function noSpectrum(size: Pick<Spectrum, 'width' | 'height' | 'channels'>): Spectrum {
  checkGiven('metrics/spectrum', 'an object', { size });
  const { width, height, channels } = size;
  checkNumber('metrics/spectrum', { width, height }, { atLeast: 1, atMost: MOST_PIXELS, kind: 'integer' });
  checkNumber('metrics/spectrum', { channels }, { atLeast: 1, kind: 'integer' });
  return Object.freeze({ width, height, channels, count: 0, sum: new Float64Array(Math.floor(Math.min(width, height) / 2) + 1) });
}

/**
 * The spectrum of pictures: |F|^2 / pixels, averaged over rings of equal spatial frequency up to that of the shorter side (the azimuthal
 * average of Durall et al. 2020, arXiv:2003.01826, section 3.1), over channels and pictures.
 *
 * @param pictures [count, channels, height, width] in [-1, 1]
 * @throws UserError for what are no pictures, or too large ones
 * @example
 * // A wave of two periods over 8 columns, of amplitude 1: half of its 64 squares lies in ring 2, in two of the 12 numbers there.
 * const wave = Float64Array.from({ length: 64 }, (_, k) => Math.cos((2 * Math.PI * 2 * (k % 8)) / 8));
 * spectrumOf({ data: wave, shape: [1, 1, 8, 8] }).sum.map((value) => Math.round(100 * value) / 100); // => [0, 0, 2.67, 0, 0]
 */
export function spectrumOf(pictures: Pictures): Spectrum {
  checkPictures('spectrum', 'pictures', pictures);
  const [count, channels, height, width] = pictures.shape;
  if (width * height > MOST_PIXELS || Math.min(width, height) < 2)
    throw new UserError(`[metrics/spectrum] picture has a size that has no spectrum: ${width}x${height}. Give 2 to ${MOST_PIXELS} pixels.`);
  const rings = ringsOf(width, height);
  const size = width * height;
  const { sum } = noSpectrum({ width, height, channels });
  for (let i = 0; i < count * channels; i += 1) {
    const power = powerOf(Float64Array.from(pictures.data.subarray(i * size, (i + 1) * size)), width);
    for (let k = 0; k < size; k += 1) {
      const ring = rings.of[k]!;
      if (ring < sum.length) sum[ring]! += power[k]! / rings.sizes[ring]! / channels;
    }
  }
  return Object.freeze({ width, height, channels, count, sum });
}

/** Which ring each frequency is in, and how many are in each. */
function ringsOf(width: number, height: number): { readonly of: Int32Array; readonly sizes: Float64Array } {
  const side = Math.min(width, height);
  const signed = (k: number, n: number): number => (k <= n / 2 ? k : k - n) / n;
  const of = Int32Array.from({ length: width * height }, (_, k) =>
    Math.round(side * Math.hypot(signed(k % width, width), signed(Math.floor(k / width), height))),
  );
  const sizes = new Float64Array(of.reduce((most, ring) => Math.max(most, ring), 0) + 1);
  for (const ring of of) sizes[ring]! += 1;
  return { of, sizes };
}

/**
 * Spectra of two streams put together.
 *
 * @throws UserError when the pictures are of different sizes
 */
export function mergeSpectra(a: Spectrum, b: Spectrum): Spectrum {
  checkSame(a, b);
  return Object.freeze({ ...a, count: a.count + b.count, sum: a.sum.map((value, k) => value + b.sum[k]!) });
}

/** What rounding to bytes adds to every ring: a step of 2 / 255, whose error is uniform. */
const ROUNDING = (2 / 255) ** 2 / 12;

/** How far two spectra are apart. */
export interface SpectralDistance {
  /** Root mean square over the rings, in decibels. */
  readonly value: number;
  /** Of each ring but the first: 10 log10 of the first spectrum over the second. Above 0: too much of this fineness. */
  readonly decibels: Float64Array;
  readonly counts: readonly [number, number];
}

/**
 * The log spectral distance: how much power at each fineness of detail differs, in decibels, all rings counting the same. A power below
 * what rounding to bytes adds counts as that much. It sees blur, grain and checkerboards, and nothing of what pictures show.
 *
 * @throws UserError for spectra of pictures of different sizes, or of none
 */
export function spectralDistance(a: Spectrum, b: Spectrum): SpectralDistance {
  checkSame(a, b);
  if (a.count < 1 || b.count < 1)
    throw new UserError(`[metrics/spectrum] a spectrum is of no pictures: counts=${a.count}, ${b.count}. Give at least one to each.`);
  const level = ({ sum, count }: Spectrum, k: number): number => 10 * Math.log10(Math.max(sum[k]! / count, ROUNDING));
  const decibels = Float64Array.from({ length: a.sum.length - 1 }, (_, k) => level(a, k + 1) - level(b, k + 1));
  const value = Math.sqrt(decibels.reduce((sum, each) => sum + each ** 2, 0) / decibels.length);
  return Object.freeze({ value, decibels, counts: [a.count, b.count] as const });
}

function checkSame(a: Spectrum, b: Spectrum): void {
  for (const [name, spectrum] of Object.entries({ a, b }))
    if (!(spectrum?.sum instanceof Float64Array && Number.isSafeInteger(spectrum.count)))
      throw new UserError(`[metrics/spectrum] not what spectrumOf() gives: ${name}=${shownValue(spectrum)}. Pass spectrumOf(pictures).`);
  for (const key of ['width', 'height', 'channels'] as const) {
    checkNumber('metrics/spectrum', { [`a.${key}`]: a[key], [`b.${key}`]: b[key] }, { kind: 'integer' });
    if (a[key] !== b[key])
      throw new UserError(
        `[metrics/spectrum] pictures are of different sizes: ${key}=${a[key]} and ${b[key]}. Resize one of them, by name.`,
      );
  }
}
