import { cutOffFrequency, diffusedDensity, noisySpectrum, powerSpectrum, vpLinear } from '@langevin/core-schedules';
import { mixture, threeModes } from '@langevin/core-schedules/testing';
import { torchGenerator } from '@langevin/tensor';
import { describe, expect, test } from 'vitest';

const process = vpLinear();
const side = 16;
/** An image with detail of all sizes: sums of waves with amplitudes 1 / f. */
const image = (() => {
  const phases = torchGenerator(7).uniform64(64);
  return Float64Array.from({ length: side * side }, (_, i) => {
    let total = 0;
    for (let u = 0; u < 8; u++) {
      for (let v = 0; v < 8; v++)
        if (u + v > 0)
          total +=
            (0.5 / Math.hypot(u, v)) * Math.cos(2 * Math.PI * ((u * (i % side) + v * Math.floor(i / side)) / side + phases[8 * u + v]!));
    }
    return total;
  });
})();

describe('the power spectrum', () => {
  test('of one wave is at its frequency; squares add up', () => {
    const wave = Float64Array.from({ length: 12 * 10 }, (_, i) => Math.cos((2 * Math.PI * 3 * (i % 12)) / 12));
    const { power, counts } = powerSpectrum(wave, { height: 10, width: 12 });
    // The third of five rings, 0.2..0.3, holds a frequency of 1/4.
    const ring = 2;
    power.forEach((value, i) => (i === ring ? expect(value * counts[i]!).toBeCloseTo(60, 9) : expect(value).toBeCloseTo(0, 9)));
  });

  test('of noisy images is alpha^2 P + sigma^2, within its standard error in every ring', () => {
    const clean = powerSpectrum(image, { height: side, width: side });
    const draws = 40;
    for (const t of [0.1, 0.4, 0.9]) {
      const { alpha, sigma } = process.level(t);
      const noise = torchGenerator(3).normal64(draws * side * side);
      const measured = powerSpectrum(
        noise.map((e, i) => alpha * image[i % (side * side)]! + sigma * e),
        { height: side, width: side },
      );
      const expected = noisySpectrum(clean, { alpha, sigma });
      expected.power.forEach((value, ring) => {
        // Each independent amplitude has variance 2 alpha^2 P sigma^2 + sigma^4; half of them are independent. P varies within a ring.
        const variance = (2 * alpha ** 2 * clean.power[ring]! * sigma ** 2 + sigma ** 4) / ((clean.counts[ring]! / 2) * draws);
        expect(Math.abs(measured.power[ring]! - value)).toBeLessThan(4 * Math.sqrt(variance));
      });
    }
  });

  test('the cut-off falls strictly with time, and meets its equation', () => {
    const frequencies = Float64Array.from({ length: 100 }, (_, i) => (i + 1) / 200);
    const natural = { frequencies, power: frequencies.map((f) => 0.01 / f ** 2), counts: frequencies.map(() => 1) };
    let before = Infinity;
    for (let t = 0.1; t <= 0.7; t += 0.05) {
      const at = process.level(t);
      const cut = cutOffFrequency(natural, at);
      expect(cut).toBeLessThan(before);
      expect((at.alpha ** 2 * 0.01) / cut ** 2 / at.sigma ** 2).toBeCloseTo(1, 10);
      before = cut;
    }
    expect([cutOffFrequency(natural, { alpha: 1, sigma: 0 }), cutOffFrequency(natural, { alpha: 0, sigma: 1 })]).toEqual([Infinity, 0]);
  });

  test('sizes are checked', () => {
    expect(() => powerSpectrum(new Float64Array(5), { height: 2, width: 2 })).toThrow('length=5, height=2, width=2');
    expect(() => powerSpectrum([], { height: 1, width: 2 })).toThrow('height=1');
  });
});

describe('the density in forward diffusion', () => {
  const h = 0.01;
  const grid = Array.from({ length: 1601 }, (_, i) => (i - 800) * h);
  const times = [0.001, 0.1, 0.3, 1];
  const columns = diffusedDensity({ distribution: threeModes(), process, times, grid });

  test('every column integrates to 1; the last is a standard normal', () => {
    for (const column of columns) expect(column.reduce((total, value) => total + h * value, 0)).toBeCloseTo(1, 6);
    const divergence = columns[3]!.reduce(
      (total, value, i) => total + (value === 0 ? 0 : h * value * (Math.log(value) + (grid[i]! ** 2 + Math.log(2 * Math.PI)) / 2)),
      0,
    );
    expect(divergence).toBeGreaterThan(0);
    expect(divergence).toBeLessThan(1e-4);
  });

  test('simulated states follow it (Kolmogorov-Smirnov)', () => {
    const count = 4000;
    const { alpha, sigma } = process.level(times[2]!);
    const clean = threeModes().sample(torchGenerator(1), count);
    const noise = torchGenerator(2).normal64(count);
    const states = clean.map((value, i) => alpha * value + sigma * noise[i]!).sort();
    let cumulative = 0;
    let at = 0;
    let distance = 0;
    columns[2]!.forEach((value, i) => {
      cumulative += h * value;
      while (at < count && states[at]! <= grid[i]! + h / 2) at++;
      distance = Math.max(distance, Math.abs(at / count - cumulative));
    });
    // Above 1.95 / sqrt(n) once in a thousand.
    expect(distance).toBeLessThan(1.95 / Math.sqrt(count));
  });

  test('more dimensions are refused', () => {
    expect(() => diffusedDensity({ distribution: mixture([{ mean: [0, 0], std: 1 }]), process, times, grid })).toThrow('dimension=2');
  });
});
