import type { NoiseLevel } from '@langevin/core';
import { checkNumber, readOptions } from '@langevin/tensor';
import type { NoiseProcess } from '../noise-process.ts';
import { vpCosine } from '../processes/vp-cosine.ts';

/**
 * A level of a diffusion that blurs as it adds noise: each frequency k of a picture's cosine transform is gains[k] x0 + sigma epsilon.
 * `alpha` is the gain of frequency 0, the mean brightness.
 */
export interface BlurLevel extends NoiseLevel {
  readonly time: number;
  /** Gain of each frequency, [height, width], frequency 0 first. */
  readonly gains: Float64Array;
}

export interface BlurringOptions {
  /** Pixels of the pictures. */
  readonly height: number;
  readonly width: number;
  /** Deviation of the blur at time 1, in pixels, >= 0; 0 blurs nothing. @default 20, the paper's for CIFAR-10 */
  readonly mostBlur?: number;
  /** What is left of the highest frequencies, in (0, 1]; more than 0, so that blurring can be undone. @default 0.001, the paper's */
  readonly leastGain?: number;
  /** How noise comes in, by time. @default vpCosine() */
  readonly process?: Pick<NoiseProcess, 'level'>;
}

export interface Blurring {
  readonly height: number;
  readonly width: number;
  /** The level at a time in 0..1, 1 being noise. */
  readonly level: (time: number) => BlurLevel;
}

/** Most pixels of a side: a level holds a number for each frequency. */
const MOST = 4096;

/**
 * Blurring diffusion (Hoogeboom and Salimans 2022, arXiv:2209.05557): pictures lose their fine detail by the heat equation while noise
 * comes in, x_t = V diag(gains) V^T x0 + sigma epsilon with V the cosine basis, gain = alpha ((1 - leastGain) exp(-lambda tau) +
 * leastGain), tau = blur^2 / 2, blur = mostBlur sin^2(pi t / 2), and lambda = (pi i / height)^2 + (pi j / width)^2. Its levels are
 * for `gddim` of @langevin/samplers, on states that are cosine transforms.
 *
 * @throws UserError for options out of range, and from `level` for times out of 0..1
 * @example
 * const { gains, alpha } = blurring({ height: 2, width: 2 }).level(0.5);
 * [gains.length, gains[0] === alpha, gains[3]! < gains[0]!]; // => [4, true, true]
 */
export function blurring(options: BlurringOptions): Blurring {
  const { height, width, mostBlur = 20, leastGain = 0.001, process = vpCosine() } = readOptions('core-schedules/blurring', options);
  checkNumber('core-schedules/blurring', { height, width }, { atLeast: 1, atMost: MOST, kind: 'integer' });
  checkNumber('core-schedules/blurring', { mostBlur }, { atLeast: 0, advice: 'Pass a number of pixels >= 0.' });
  checkNumber(
    'core-schedules/blurring',
    { leastGain },
    { above: 0, atMost: 1, advice: 'Pass 0.001, or what the network was trained with.' },
  );
  const rows = squares(height);
  const columns = squares(width);
  return Object.freeze({
    height,
    width,
    level: (time: number): BlurLevel => {
      checkNumber('core-schedules/blurring', { time }, { atLeast: 0, atMost: 1, advice: 'Pass a number in 0..1; 1 is noise.' });
      const { alpha, sigma } = process.level(time);
      const tau = (mostBlur * Math.sin((Math.PI * time) / 2) ** 2) ** 2 / 2;
      const gains = new Float64Array(height * width);
      for (let i = 0; i < height; i++) {
        for (let j = 0; j < width; j++)
          gains[i * width + j] = alpha * ((1 - leastGain) * Math.exp(-tau * (rows[i]! + columns[j]!)) + leastGain);
      }
      return Object.freeze({ alpha, sigma, time, gains });
    },
  });
}

/** Squared frequencies along a side. */
function squares(length: number): readonly number[] {
  return Array.from({ length }, (_, k) => ((Math.PI * k) / length) ** 2);
}
