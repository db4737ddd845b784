import { readFileSync } from 'node:fs';
import { betaQuantile, incompleteBeta } from '@langevin/core-schedules';
import { describe, expect, test } from 'vitest';

interface Row {
  readonly p: number;
  readonly a: number;
  readonly b: number;
  readonly scipy: number;
  readonly quantile: number;
  readonly share: number;
}
const { quantiles } = JSON.parse(readFileSync(new URL('golden/spacings.json', import.meta.url), 'utf8')) as {
  readonly quantiles: readonly Row[];
};
const shapes = [
  { a: 0.6, b: 0.6 },
  { a: 2, b: 5 },
  { a: 0.3, b: 4 },
  { a: 1, b: 1 },
];

test('quantiles are those of forty digits, and of scipy as far as scipy goes', () => {
  expect(quantiles.length).toBeGreaterThan(40);
  for (const { p, a, b, quantile, scipy } of quantiles) {
    // A small x is known to 1e-13 of itself; one near 1 to what 1 - p is known to.
    expect(Math.abs(betaQuantile(p, { a, b }) / quantile - 1), `p=${p} a=${a} b=${b}`).toBeLessThan(1e-13);
    expect(Math.abs(betaQuantile(p, { a, b }) / scipy - 1), `scipy at p=${p} a=${a} b=${b}`).toBeLessThan(1e-12);
  }
});

test('shares are those of forty digits', () => {
  for (const { p, a, b, share } of quantiles)
    expect(Math.abs(incompleteBeta(p, { a, b }) / share - 1), `x=${p} a=${a} b=${b}`).toBeLessThan(2e-13);
});

test('the quantile inverts the share, to the smallest p', () => {
  for (const shape of shapes) {
    for (const p of [1e-12, 1e-6, 0.01, 0.3, 0.5, 0.7, 0.99])
      expect(Math.abs(incompleteBeta(betaQuantile(p, shape), shape) / p - 1)).toBeLessThan(1e-12);
  }
});

test('the share is the integral of the density', () => {
  // With x = y^q the integrand q y^(q a - 1) (1 - x)^(b - 1) is smooth enough at 0 for Simpson's rule.
  for (const { a, b } of shapes) {
    const q = Math.ceil(6 / a);
    const integral = (to: number, panels = 2000): number => {
      const end = to ** (1 / q);
      const at = (i: number): number => {
        const y = (end * i) / panels;
        return q * y ** (q * a - 1) * (1 - y ** q) ** (b - 1);
      };
      let sum = at(0) + at(panels);
      for (let i = 1; i < panels; i++) sum += (i % 2 === 1 ? 4 : 2) * at(i);
      return (sum * end) / panels / 3;
    };
    for (const [x, y] of [
      [0.2, 0.5],
      [0.05, 0.6],
    ] as const) {
      expect(incompleteBeta(x, { a, b }) / incompleteBeta(y, { a, b })).toBeCloseTo(integral(x) / integral(y), 8);
    }
  }
});

describe('known cases', () => {
  test('ends, the uniform distribution, the arcsine law, symmetry', () => {
    expect([
      betaQuantile(0, shapes[0]!),
      betaQuantile(1, shapes[0]!),
      incompleteBeta(0, shapes[1]!),
      incompleteBeta(1, shapes[1]!),
    ]).toEqual([0, 1, 0, 1]);
    for (const p of [0.1, 0.37, 0.9]) {
      expect(betaQuantile(p, { a: 1, b: 1 })).toBeCloseTo(p, 14);
      expect(betaQuantile(p, { a: 0.5, b: 0.5 })).toBeCloseTo(Math.sin((Math.PI / 2) * p) ** 2, 14);
      expect(betaQuantile(p, { a: 0.6, b: 0.6 }) + betaQuantile(1 - p, { a: 0.6, b: 0.6 })).toBeCloseTo(1, 13);
    }
    expect(betaQuantile(0.5, { a: 0.6, b: 0.6 })).toBeCloseTo(0.5, 14);
  });

  test('what is no share or shape is refused', () => {
    expect(() => betaQuantile(1.5, { a: 1, b: 1 })).toThrow('p is out of range: p=1.5.');
    expect(() => betaQuantile(0.5, { a: 0, b: 1 })).toThrow('a=0');
    expect(() => incompleteBeta(-1, { a: 1, b: 1 })).toThrow('x=-1');
  });
});
