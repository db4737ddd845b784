import { describe, expect, it } from 'vitest';
import { counterGenerator, philoxGenerator, torchGenerator, type Generator } from '../../src/random/index.ts';
import { chiSquareLimit, chiSquareUniform, correlation, histogram, meanOf } from './helpers.ts';

const N = 40_000;
/** Five standard errors of a mean over N values of standard deviation `sd`; seeds are fixed, so a pass stays a pass. */
const fiveSigma = (sd: number): number => (5 * sd) / Math.sqrt(N);

const makers: readonly (readonly [string, () => Generator])[] = [
  ['torch', () => torchGenerator(11)],
  ['philox', () => philoxGenerator(11)],
  ['counter', () => counterGenerator({ seed: 11, stream: [2, 3] })],
];

describe.each(makers)('%s generator', (_name, make) => {
  it.each(['uniform', 'uniform64'] as const)('%s is flat on [0, 1)', (draw) => {
    const values = make()[draw](N);
    expect(values.every((value) => value >= 0 && value < 1)).toBe(true);
    expect(Math.abs(meanOf(values) - 0.5)).toBeLessThan(fiveSigma(Math.sqrt(1 / 12)));
    expect(chiSquareUniform(histogram(values, 64))).toBeLessThan(chiSquareLimit(63));
    // Too even is as wrong as too uneven.
    expect(chiSquareUniform(histogram(values, 64))).toBeGreaterThan(63 - 5 * Math.sqrt(2 * 63));
    expect(Math.abs(correlation(values.subarray(1), values.subarray(0, N - 1)))).toBeLessThan(fiveSigma(1));
  });

  it.each(['normal', 'normal64'] as const)('%s has the moments and tails of N(0, 1)', (draw) => {
    const values = make()[draw](N);
    // Standard deviations of z, z^2, z^3, z^4 under N(0, 1): 1, sqrt 2, sqrt 15, sqrt 96.
    expect(Math.abs(meanOf(values))).toBeLessThan(fiveSigma(1));
    expect(Math.abs(meanOf(values, (z) => z ** 2) - 1)).toBeLessThan(fiveSigma(Math.SQRT2));
    expect(Math.abs(meanOf(values, (z) => z ** 3))).toBeLessThan(fiveSigma(Math.sqrt(15)));
    expect(Math.abs(meanOf(values, (z) => z ** 4) - 3)).toBeLessThan(fiveSigma(Math.sqrt(96)));
    const beyond2 = 0.04550026389635842; // 2 (1 - Phi(2))
    expect(Math.abs(meanOf(values, (z) => (Math.abs(z) > 2 ? 1 : 0)) - beyond2)).toBeLessThan(
      fiveSigma(Math.sqrt(beyond2 * (1 - beyond2))),
    );
    // Neighbours share a block or a Box-Muller pair: neither they nor their squares may correlate.
    for (const lag of [1, 2, 8, 16]) {
      expect(Math.abs(correlation(values.slice(lag), values.slice(0, -lag)))).toBeLessThan(fiveSigma(1));
      expect(
        Math.abs(
          correlation(
            values.slice(lag).map((z) => z * z),
            values.slice(0, -lag).map((z) => z * z),
          ),
        ),
      ).toBeLessThan(fiveSigma(1));
    }
  });

  it.each([
    [0, 10],
    [-3, 4],
    [-(2 ** 31), 2 ** 31],
  ])('integers are flat on %i .. %i - 1', (low, high) => {
    const values = make().integers(N, { low, high });
    expect(values.every((value) => value >= low && value < high)).toBe(true);
    const bins = Math.min(high - low, 32);
    const unit = Float64Array.from(values, (value) => (value - low) / (high - low));
    // (k - low) / span may round below k's own bin: the middle of the cell is safe.
    const middle = unit.map((value) => value + 0.5 / (high - low));
    expect(chiSquareUniform(histogram(middle, bins))).toBeLessThan(chiSquareLimit(bins - 1));
  });

  it('permutations are permutations, and all orders of three are equally likely', () => {
    const generator = make();
    expect([...generator.permutation(1000)].sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
    const orders = new Map<string, number>();
    for (let i = 0; i < 6000; i++) {
      const order = generator.permutation(3).join('');
      orders.set(order, (orders.get(order) ?? 0) + 1);
    }
    expect(orders.size).toBe(6);
    expect(chiSquareUniform([...orders.values()])).toBeLessThan(chiSquareLimit(5));
  });

  it('empty draws are empty and change nothing', () => {
    const generator = make();
    const before = generator.state();
    for (const draw of ['uniform', 'uniform64', 'normal', 'normal64'] as const) expect(generator[draw](0)).toHaveLength(0);
    expect(generator.integers(0, { low: 0, high: 2 })).toHaveLength(0);
    expect(generator.permutation(0)).toHaveLength(0);
    expect(generator.state()).toEqual(before);
  });

  it('equal seeds give equal numbers', () => {
    expect(make().normal(100)).toEqual(make().normal(100));
  });
});

it('neighbouring seeds and streams are uncorrelated', () => {
  const samples = [
    torchGenerator(11).normal(N),
    torchGenerator(12).normal(N),
    philoxGenerator(11).normal(N),
    philoxGenerator(12).normal(N),
    ...[[], [0], [0, 0], [1], [0, 1], [1, 0]].map((stream) => counterGenerator({ seed: 11, stream }).normal(N)),
    counterGenerator({ seed: 12, stream: [1] }).normal(N),
  ];
  samples.forEach((a, i) => samples.slice(i + 1).forEach((b) => expect(Math.abs(correlation(a, b))).toBeLessThan(fiveSigma(1))));
});
