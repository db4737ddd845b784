import { checkLevel, type NoiseLevel } from '@langevin/core';
import { checkNumber, UserError } from '@langevin/tensor';

const WHERE = 'core-schedules/power-spectrum';

export interface PowerSpectrumOptions {
  readonly height: number;
  readonly width: number;
  /** Rings between frequency 0 and 1/2, >= 1. @default half of the shorter side */
  readonly rings?: number;
}

/** Power over radial frequency: what white noise of variance v has is v in every ring. */
export interface PowerSpectrum {
  /** Mean frequency of each ring in cycles per pixel, rising; rings without a frequency are left out. */
  readonly frequencies: Float64Array;
  /** Mean squared amplitude, |DFT|^2 / (height width). */
  readonly power: Float64Array;
  /** Frequencies in each ring: amplitudes of f and -f are the same. */
  readonly counts: Float64Array;
}

/**
 * The radially averaged power spectrum of images [..., height, width] (mean over all but the last two axes), without frequency 0 and those
 * above 1/2, whose rings leave the square.
 *
 * @example
 * // One wave over the width: all power is at the lowest frequency.
 * const wave = Float64Array.from({ length: 64 }, (_, i) => Math.cos((2 * Math.PI * i) / 8));
 * powerSpectrum(wave, { height: 8, width: 8 }).power.slice(0, 3); // => [4.000, 0.000, 0.000]
 */
export function powerSpectrum(
  images: ArrayLike<number>,
  { height, width, rings = Math.max(1, Math.floor(Math.min(height, width) / 2)) }: PowerSpectrumOptions,
): PowerSpectrum {
  for (const [name, value] of Object.entries({ height, width }))
    checkNumber(WHERE, { [name]: value }, { atLeast: 2, atMost: 4096, kind: 'integer' });
  checkNumber(WHERE, { rings }, { atLeast: 1, atMost: 4096, kind: 'integer' });
  const planes = images.length / (height * width);
  if (!Number.isInteger(planes) || planes === 0)
    throw new UserError(
      `[${WHERE}] the numbers are no whole images: length=${images.length}, height=${height}, width=${width}. Pass [..., height, width].`,
    );
  const [totals, radii, counts] = [new Float64Array(rings), new Float64Array(rings), new Float64Array(rings)];
  for (let plane = 0; plane < planes; plane++) {
    const power = planePower(
      Float64Array.from({ length: height * width }, (_, i) => images[plane * height * width + i]!),
      height,
      width,
    );
    power.forEach((value, i) => {
      const radius = Math.hypot(signed(Math.floor(i / width), height), signed(i % width, width));
      if (radius === 0 || radius > 0.5) return;
      const ring = Math.min(rings - 1, Math.floor(2 * radius * rings));
      totals[ring]! += value;
      radii[ring]! += radius;
      counts[ring]!++;
    });
  }
  const filled = Array.from(counts.keys()).filter((ring) => counts[ring]! > 0);
  return {
    frequencies: Float64Array.from(filled, (ring) => radii[ring]! / counts[ring]!),
    power: Float64Array.from(filled, (ring) => totals[ring]! / counts[ring]!),
    counts: Float64Array.from(filled, (ring) => counts[ring]! / planes),
  };
}

/**
 * The spectrum of an image's noisy version in expectation: alpha^2 P + sigma^2.
 *
 * @example
 * const spectrum = powerSpectrum(new Float64Array(64), { height: 8, width: 8 });
 * // Nothing but white noise.
 * noisySpectrum(spectrum, sigmaLevel(2)).power; // => [4, 4, 4]
 */
export function noisySpectrum({ frequencies, power, counts }: PowerSpectrum, { alpha, sigma }: NoiseLevel): PowerSpectrum {
  return { frequencies, counts, power: power.map((value) => alpha ** 2 * value + sigma ** 2) };
}

/**
 * The frequency above which noise is stronger than the image: alpha^2 P(f) = sigma^2, between rings by powers of f, as images have.
 * Infinity where noise is weaker in every ring, 0 where it is stronger in every one. It falls with time: fine detail is lost first.
 *
 * @example
 * const spectrum = powerSpectrum(Float64Array.from({ length: 64 }, (_, i) => Math.cos((2 * Math.PI * i) / 8)), { height: 8, width: 8 });
 * // Above it there is more noise than image.
 * cutOffFrequency(spectrum, sigmaLevel(0.01)); // => 0.1666
 */
export function cutOffFrequency({ frequencies, power }: PowerSpectrum, level: NoiseLevel): number {
  checkLevel(WHERE, 'level', level);
  const excess = Array.from(power, (value) => Math.log(level.alpha ** 2 * value) - 2 * Math.log(level.sigma));
  const below = excess.findIndex((value) => value <= 0);
  if (below === -1) return Infinity;
  if (below === 0) return 0;
  const share = excess[below - 1]! / (excess[below - 1]! - excess[below]!);
  const [low, high] = [Math.log(frequencies[below - 1]!), Math.log(frequencies[below]!)];
  return Math.exp(low + share * (high - low));
}

/** Frequency k of n as -1/2..1/2. */
function signed(k: number, n: number): number {
  return (k <= n / 2 ? k : k - n) / n;
}

/** |DFT|^2 / (height width), rows then columns. */
function planePower(plane: Float64Array, height: number, width: number): Float64Array {
  const real = plane.slice();
  const imaginary = new Float64Array(plane.length);
  for (let y = 0; y < height; y++) transform({ real, imaginary, start: y * width, stride: 1, n: width });
  for (let x = 0; x < width; x++) transform({ real, imaginary, start: x, stride: width, n: height });
  return real.map((value, i) => (value ** 2 + imaginary[i]! ** 2) / plane.length);
}

interface Line {
  readonly real: Float64Array;
  readonly imaginary: Float64Array;
  readonly start: number;
  readonly stride: number;
  readonly n: number;
}

/** The discrete Fourier transform of one line, in place, by its definition: sides are small and need not be powers of two. */
function transform({ real, imaginary, start, stride, n }: Line): void {
  const [cosines, sines] = [new Float64Array(n), new Float64Array(n)];
  for (let k = 0; k < n; k++) {
    cosines[k] = Math.cos((2 * Math.PI * k) / n);
    sines[k] = Math.sin((2 * Math.PI * k) / n);
  }
  const [re, im] = [new Float64Array(n), new Float64Array(n)];
  for (let k = 0; k < n; k++) {
    for (let j = 0; j < n; j++) {
      const [a, b] = [real[start + j * stride]!, imaginary[start + j * stride]!];
      const turn = (j * k) % n;
      re[k]! += a * cosines[turn]! + b * sines[turn]!;
      im[k]! += b * cosines[turn]! - a * sines[turn]!;
    }
  }
  for (let k = 0; k < n; k++) {
    real[start + k * stride] = re[k]!;
    imaginary[start + k * stride] = im[k]!;
  }
}
