import { expect, it } from 'vitest';
import { brownianTree } from '../../src/random/index.ts';
import { correlation, meanOf } from './helpers.ts';

const COUNT = 20_000;
/** Five standard errors for COUNT independent components; seeds are fixed. */
const fiveSigma = (sd: number): number => (5 * sd) / Math.sqrt(COUNT);
const options = { seed: 3, t0: 0, t1: 2, count: COUNT };

it('starts at zero and has the covariance min(s, t) of Brownian motion', () => {
  const tree = brownianTree(options);
  expect(tree.at(0).every((value) => value === 0)).toBe(true);
  for (const [s, t] of [
    [0.3, 0.3],
    [0.3, 1.7],
    [1, 2],
    [1.25, 1.3],
  ] as const) {
    const a = tree.at(s);
    const b = tree.at(t);
    const covariance = meanOf(a.map((value, i) => value * b[i]!));
    // Var(W_s W_t) = s t + min(s, t)^2.
    expect(Math.abs(covariance - Math.min(s, t))).toBeLessThan(fiveSigma(Math.sqrt(s * t + Math.min(s, t) ** 2)));
  }
});

it('has unit noise, independent over disjoint steps', () => {
  const tree = brownianTree(options);
  const times = [2, 1.5, 0.9, 0.4, 0.1];
  const noises = times.slice(1).map((to, i) => tree.noise(times[i]!, to));
  noises.forEach((noise, i) => {
    expect(Math.abs(meanOf(noise))).toBeLessThan(fiveSigma(1));
    expect(Math.abs(meanOf(noise, (z) => z * z) - 1)).toBeLessThan(fiveSigma(Math.SQRT2));
    noises.slice(i + 1).forEach((other) => expect(Math.abs(correlation(noise, other))).toBeLessThan(fiveSigma(1)));
  });
});

it('does not depend on the order or number of questions', () => {
  const one = brownianTree({ ...options, count: 33 });
  const expected = one.at(0.7);
  const other = brownianTree({ ...options, t0: 2, t1: 0, count: 33 });
  for (const t of [1.9, 0.2, 1.1, 0.6999]) other.at(t);
  expect(other.at(0.7)).toEqual(expected);
  expect(other.noise(1.1, 0.2)).toEqual(one.noise(0.2, 1.1).map((value) => -value));
});

it('results belong to the caller', () => {
  const tree = brownianTree({ ...options, count: 4 });
  const first = tree.at(1);
  const kept = first.slice();
  first.fill(9);
  expect(tree.at(1)).toEqual(kept);
});

it('resolves times to six decimals', () => {
  const tree = brownianTree({ ...options, count: 4 });
  expect(tree.at(0.1234564)).toEqual(tree.at(0.1234561));
  expect(tree.at(0.123457)).not.toEqual(tree.at(0.123456));
});
