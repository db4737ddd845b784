import { expect, test } from 'vitest';
import { hash32, hashBelow, permutation, wordsOf } from './hash.ts';

test('flipping any input bit flips each output bit about half of the time', () => {
  const rounds = 2000;
  for (let bit = 0; bit < 32; bit++) {
    const counts = new Float64Array(32);
    for (let i = 0; i < rounds; i++) {
      const difference = hash32(1, i) ^ hash32(1, i ^ (1 << bit));
      for (let out = 0; out < 32; out++) counts[out]! += (difference >>> out) & 1;
    }
    // Binomial(2000, 1/2): deviation 22.4. Of 1,024 counts one may reach 4.2 deviations once in 40 seeds; six is never.
    for (const count of counts) expect(Math.abs(count - rounds / 2)).toBeLessThan(6 * 22.4);
  }
});

test('the order and number of words matter', () => {
  expect(new Set([hash32(1, 2), hash32(2, 1), hash32(1), hash32(1, 2, 0), hash32()]).size).toBe(5);
});

test('numbers below a bound are uniform: chi-squared', () => {
  const counts = new Float64Array(7);
  for (let i = 0; i < 70_000; i++) counts[hashBelow(7, 5, i)]!++;
  const chiSquared = counts.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0);
  expect(chiSquared).toBeLessThan(22.5); // 6 degrees of freedom, probability 0.001
});

test('all 24 permutations of 4 are equally likely: chi-squared', () => {
  const counts = new Map<string, number>();
  for (let i = 0; i < 24_000; i++) {
    const key = permutation(4, 9, i).join();
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  expect(counts.size).toBe(24);
  const chiSquared = [...counts.values()].reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
  expect(chiSquared).toBeLessThan(49.7); // 23 degrees of freedom, probability 0.001
});

test('a safe integer is two words', () => {
  expect(wordsOf(2 ** 53 - 1)).toEqual([2 ** 32 - 1, 2 ** 21 - 1]);
  expect(wordsOf(2 ** 32 + 5)).toEqual([5, 1]);
});
