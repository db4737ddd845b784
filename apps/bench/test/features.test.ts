import { describe, expect, test } from 'vitest';
import { featuresOf, frechetDistance, statisticsOf } from '../src/samplers/features.ts';

/** Numbers that look random and are always the same. */
const noise = (count: number, seed: number) =>
  Float64Array.from({ length: count }, (_, i) => Math.sin(12.9898 * (i + 1) * (seed + 1)) * 43758.5453).map((v) => v - Math.floor(v));

describe('the distance between sets of pictures', () => {
  const rows = Array.from({ length: 200 }, (_, i) => noise(6, i));

  test('is zero between a set and itself, and symmetric', () => {
    const [a, b] = [statisticsOf(rows), statisticsOf(rows.map((row) => row.map((value, i) => 2 * value + i)))];
    expect(frechetDistance(a, a)).toBeCloseTo(0, 9);
    expect(frechetDistance(a, b)).toBeCloseTo(frechetDistance(b, a), 9);
  });

  test('of a moved set is the square of the way, of a stretched one that of the deviations', () => {
    const plain = statisticsOf(rows);
    expect(frechetDistance(plain, statisticsOf(rows.map((row) => row.map((value) => value + 0.3))))).toBeCloseTo(6 * 0.09, 9);
    // Stretched about its mean by 3: covariances C and 9 C, so (3 - 1)^2 tr C.
    const stretched = statisticsOf(rows.map((row) => row.map((value, i) => plain.mean[i]! + 3 * (value - plain.mean[i]!))));
    expect(frechetDistance(plain, stretched)).toBeCloseTo(4 * plain.covariance.trace(), 8);
  });

  test('sees colour and texture, whatever the size', () => {
    const flat = { width: 16, height: 16, channels: 3, data: new Uint8Array(16 * 16 * 3).fill(51) } as const;
    const features = featuresOf(flat);
    features.subarray(0, 192).forEach((value) => expect(value).toBeCloseTo(0.2, 12));
    features.subarray(192).forEach((value) => expect(value).toBe(0));
    const stripes = { ...flat, data: flat.data.map((_, i) => (Math.floor(i / 3) % 2 === 0 ? 0 : 255)) };
    expect(
      featuresOf(stripes)
        .subarray(192)
        .every((value) => value > 0.5),
    ).toBe(true);
  });
});
