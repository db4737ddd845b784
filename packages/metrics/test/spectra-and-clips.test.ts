import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import type { Image } from '@langevin/io';
import {
  classScore,
  clipFeatures,
  featureSet,
  frechetDistance,
  gaussianFeatures,
  joinFeatures,
  mergeSpectra,
  mergeTallies,
  momentsOf,
  pictureFeatures,
  scoreOfTally,
  spectralDistance,
  spectrumOf,
  tallyOf,
  unbiasedDiscrepancy,
  type Pictures,
} from '@langevin/metrics';
import { describe, expect, it } from 'vitest';
import { gaussian, info, uniform } from './harness.ts';

const engine = await onnxruntimeEngine({ device: 'cpu', threads: 1 });

const noise = (count: number, [height, width]: readonly [number, number], phase: number): Pictures => ({
  data: Float64Array.from({ length: count * height * width }, (_, k) => 2 * uniform(k, 3, phase) - 1),
  shape: [count, 1, height, width],
});

describe('spectra', () => {
  it('have all of the power of the picture, at any size (Parseval)', () => {
    // A wave along one axis: its square sums up to half of the pixels, in two of the numbers of its ring.
    for (const [height, width] of [
      [8, 8],
      [6, 6],
      [7, 7],
      [15, 15],
      [13, 13],
    ] as const) {
      const data = Float64Array.from({ length: height * width }, (_, k) => Math.cos((2 * Math.PI * (k % width)) / width));
      const { sum } = spectrumOf({ data, shape: [1, 1, height, width] });
      const inRing = countOf(height, width, 1);
      expect(sum[1]! * inRing).toBeCloseTo((height * width) / 2, 9);
      expect(sum[0]! + sum.slice(2).reduce((a, b) => a + b, 0)).toBeLessThan(1e-20);
    }
  });
  it('of white noise are flat, at the variance of its pixels', () => {
    const { sum, count } = spectrumOf(noise(60, [32, 24], 0.2));
    // A third, with an error of the order of 1 / sqrt(numbers in the ring).
    for (const ring of sum.slice(1)) expect(Math.abs(ring / count - 1 / 3)).toBeLessThan(0.06);
  });
  it('are the same in whatever batches pictures come', () => {
    const all = noise(6, [12, 10], 0.9);
    const part = (from: number, to: number): Pictures => ({ data: all.data.slice(from * 120, to * 120), shape: [to - from, 1, 12, 10] });
    const merged = [part(0, 1), part(1, 4), part(4, 6)].map(spectrumOf).reduce(mergeSpectra);
    const whole = spectrumOf(all);
    merged.sum.forEach((value, k) => expect(value).toBeCloseTo(whole.sum[k]!, 12));
    expect(merged.count).toBe(6);
  });
  it('differ by 6.02 dB where one is half as strong, and the distance of a set from itself is 0', () => {
    const full = noise(4, [16, 16], 0.5);
    const half = { ...full, data: full.data.map((value) => value / 2) };
    expect(spectralDistance(spectrumOf(half), spectrumOf(full)).value).toBeCloseTo(20 * Math.log10(2), 9);
    expect(spectralDistance(spectrumOf(full), spectrumOf(full)).value).toBe(0);
    expect(() => spectralDistance(spectrumOf(full), spectrumOf(noise(1, [8, 8], 0)))).toThrow('pictures are of different sizes');
  });
});

/** Frequencies whose distance from 0 rounds to a ring. */
function countOf(height: number, width: number, ring: number): number {
  let count = 0;
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const [fy, fx] = [y <= height / 2 ? y : y - height, x <= width / 2 ? x : x - width];
      if (Math.round(Math.hypot(fy, fx)) === ring) count += 1;
    }
  }
  return count;
}

describe('clips', () => {
  const brightness = pictureFeatures({
    name: 'brightness',
    hash: 'none',
    layer: 'mean',
    input: { width: 1, height: 1, channels: 'grey', resize: 'area', range: [0, 255] },
    network: ({ data, shape }) => Promise.resolve({ data, shape: [shape[0]!, 1] }),
    batch: 3,
  });
  const frame = (value: number): Image => ({ width: 2, height: 2, channels: 1, data: new Uint8Array(4).fill(value) });
  const clip = (...values: readonly number[]): readonly Image[] => values.map(frame);

  it('are what is seen and how much it changes, with frames and stride in the name', async () => {
    const {
      rows,
      width,
      info: named,
    } = await clipFeatures(brightness, [clip(10, 0, 20, 0, 30), clip(50, 9, 50, 9, 50)], { frames: 3, stride: 2 });
    expect(width).toBe(2);
    expect(Array.from(rows)).toEqual([20, 10, 50, 0]);
    expect(named.input).toContain('3 frames, stride 2');
  });
  it('that are too short are refused by name', async () => {
    await expect(clipFeatures(brightness, [clip(1, 2, 3), clip(1, 2)], { frames: 3 })).rejects.toThrow('clip=1, frames=2, needed=3');
  });
  it('of other batches have the same features', async () => {
    const pictures = [1, 2, 3, 4, 5, 6, 7].map(frame);
    const whole = await brightness.features(pictures);
    const joined = joinFeatures([await brightness.features(pictures.slice(0, 2)), await brightness.features(pictures.slice(2))]);
    expect(joined.rows).toEqual(whole.rows);
    expect(Array.from(whole.rows)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });
});

describe('scores and Gaussians', () => {
  it('a class score of tallies is that of all pictures at once', () => {
    const probabilities = Float64Array.from({ length: 90 }, (_, k) => 1 + uniform(Math.floor(k / 3), k % 3, 0.3));
    for (let i = 0; i < 30; i += 1) {
      const total = probabilities[3 * i]! + probabilities[3 * i + 1]! + probabilities[3 * i + 2]!;
      for (let c = 0; c < 3; c += 1) probabilities[3 * i + c]! /= total;
    }
    const tally = (from: number, to: number) => tallyOf({ probabilities: probabilities.subarray(3 * from, 3 * to), classes: 3 });
    const merged = mergeTallies(tally(0, 7), tally(7, 30));
    expect(scoreOfTally(merged)).toBeCloseTo(classScore({ probabilities, classes: 3 }, { splits: 1 }).value, 12);
  });
  it('a Gaussian kernel of bandwidth s between N(0, 1) and N(m, 1) has the closed form', async () => {
    // E k(x, y) = s / sqrt(s^2 + 2) exp(-d^2 / (2 (s^2 + 2))) for means apart by d.
    const [s, m] = [1.5, 1];
    const mean = (d: number): number => (s / Math.sqrt(s * s + 2)) * Math.exp((-d * d) / (2 * (s * s + 2)));
    const a = gaussian({ count: 3000, width: 1, phase: 1, shift: 0, scale: 1 });
    const b = gaussian({ count: 3000, width: 1, phase: 2, shift: m, scale: 1 });
    const value = await unbiasedDiscrepancy(a, b, { kernel: { gaussian: s }, engine });
    // Its standard deviation is about 2 sqrt(var k / n), below 0.02.
    expect(Math.abs(value - (2 * mean(0) - 2 * mean(m)))).toBeLessThan(0.02);
    await expect(unbiasedDiscrepancy(a, b, { kernel: { gaussian: 0 }, engine })).rejects.toThrow('kernel.gaussian=0');
  });
  it('the Gaussian of features has their mean and covariance', async () => {
    const rows = Float64Array.from({ length: 600 }, (_, k) => (k % 2 === 0 ? 5 : -1) + (1 + (k % 2)) * uniform(Math.floor(k / 2), 0, 0.1));
    const set = featureSet(info(2), rows);
    const drawn = await gaussianFeatures(set, { count: 4000, engine });
    const { value } = frechetDistance(momentsOf(drawn), momentsOf(set));
    // Of the order of the covariance (1/12 and 4/12, wholly correlated) over the count.
    expect(value).toBeLessThan(0.002);
  });
});
