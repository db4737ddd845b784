import { describe, expect, test } from 'vitest';
import { exponentialWeights, kernelMoments } from './exponential.ts';
import { adamsWeights, EVEN_ADAMS, lagrange } from './lagrange.ts';
import { dampedPhi, phi } from './phi.ts';

/** Simpson's rule over 0..1, an independent way to the same integrals. */
function integral(f: (theta: number) => number, pieces = 20_000): number {
  let total = 0;
  for (let i = 0; i < pieces; i++) total += f(i / pieces) + 4 * f((i + 0.5) / pieces) + f((i + 1) / pieces);
  return total / (6 * pieces);
}

const factorials = [1, 1, 2, 6, 24];

describe('phi functions', () => {
  test('are their integrals', () => {
    for (const z of [-30, -5, -2, -1.999, -0.3, -1e-4, 0, 1e-9, 0.5, 2, 2.001, 9]) {
      for (const k of [1, 2, 3, 4]) {
        const exact = integral((theta) => Math.exp((1 - theta) * z) * theta ** (k - 1)) / factorials[k - 1]!;
        expect(phi(k, z) / exact).toBeCloseTo(1, 9);
        expect(dampedPhi(k, z) / (Math.exp(-z) * exact)).toBeCloseTo(1, 9);
      }
    }
  });

  test('join their two ways of computing to the last digits', () => {
    for (const k of [2, 3, 4]) {
      for (const z of [-2, 2]) expect(Math.abs(phi(k, z * (1 + 1e-15)) / phi(k, z * (1 - 1e-15)) - 1)).toBeLessThan(1e-13);
      expect(Math.abs(dampedPhi(k, 2 + 1e-15) / dampedPhi(k, 2 - 1e-15) - 1)).toBeLessThan(1e-13);
    }
  });

  test('have their limits', () => {
    expect(phi(2, 0)).toBe(1 / 2);
    expect(phi(3, 0)).toBeCloseTo(1 / 6, 15);
    expect([phi(1, -Infinity), phi(3, -Infinity), dampedPhi(2, Infinity), dampedPhi(1, 800) * 800]).toEqual([0, 0, 0, 1]);
  });
});

describe('weights', () => {
  test('Lagrange polynomials are 1 at their node and 0 at others', () => {
    const nodes = [0, -0.7, -1.9, 1];
    lagrange(nodes).forEach((polynomial, k) => {
      nodes.forEach((node, i) => expect(polynomial.reduce((sum, c, j) => sum + c * node ** j, 0)).toBeCloseTo(i === k ? 1 : 0, 12));
    });
  });

  test('Adams-Bashforth is the textbook one on even grids, in any direction', () => {
    EVEN_ADAMS.forEach((textbook, k) => {
      const weights = adamsWeights({ nodes: Array.from({ length: k + 1 }, (_, i) => 5 + 0.3 * i), from: 5, to: 4.7 });
      weights.forEach((weight, i) => expect(weight).toBeCloseTo(-0.3 * textbook[i]!, 12));
    });
  });

  test('Adams-Bashforth is exact for polynomials on uneven grids', () => {
    const weights = adamsWeights({ nodes: [2, 3.1, 7, 9], from: 2, to: 1.4 });
    expect(weights.reduce((sum, w, k) => sum + w * [2, 3.1, 7, 9][k]! ** 3, 0)).toBeCloseTo((1.4 ** 4 - 2 ** 4) / 4, 10);
  });

  test('of exponential steps are exact for predictions polynomial in lambda', () => {
    for (const h of [0.01, 0.4, 3, -0.5]) {
      const nodes = [0, -0.8, -2.1];
      for (const degree of [0, 1, 2]) {
        const sum = (form: 'x0' | 'epsilon') =>
          exponentialWeights({ form, h, nodes }).reduce((total, w, k) => total + w * nodes[k]! ** degree, 0);
        expect(sum('x0')).toBeCloseTo(
          integral((theta) => h * Math.exp(-(1 - theta) * h) * theta ** degree),
          9,
        );
        expect(sum('epsilon')).toBeCloseTo(
          integral((theta) => h * Math.exp(-theta * h) * theta ** degree),
          9,
        );
      }
    }
    expect(kernelMoments('x0', Infinity, 1)).toEqual([1]);
  });
});
