import { blurring, cosineTransform, criticallyDamped } from '@langevin/core-schedules';
import { describe, expect, test } from 'vitest';

const SHAPE = { height: 6, width: 5 };
const process = blurring({ ...SHAPE, mostBlur: 3 });
const damped = criticallyDamped();

const gap = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((worst, value, i) => Math.max(worst, Math.abs(value - b[i]!)), 0);

describe('blurring diffusion', () => {
  test('keeps the mean brightness, takes high frequencies first, and blurs as the heat equation does', () => {
    const { gains, alpha } = process.level(0.4);
    expect(gains[0]).toBe(alpha);
    for (let k = 1; k < SHAPE.width; k++) expect(gains[k]!).toBeLessThan(gains[k - 1]!);
    // A bump, blurred by finite differences with walls that let nothing through, in many small steps of time; fine pixels stand for the
    // continuum.
    const [fine, deviation] = [64, 6];
    const wide = blurring({
      height: 1,
      width: fine,
      mostBlur: deviation,
      leastGain: 1e-12,
      process: { level: () => ({ alpha: 1, sigma: 0 }) },
    });
    const row = cosineTransform({ height: 1, width: fine });
    const bump = Float64Array.from({ length: fine }, (_, n) => Math.exp(-(((n - 20) / 5) ** 2)));
    const blurred = row.inverse(row.forward(bump).map((value, k) => wide.level(1).gains[k]! * value));
    let heat = bump.slice();
    const steps = 2000;
    for (let step = 0; step < steps; step++)
      heat = heat.map((value, n) => value + (deviation ** 2 / 2 / steps) * ((heat[n - 1] ?? value) - 2 * value + (heat[n + 1] ?? value)));
    expect(gap(blurred, heat)).toBeLessThan(2e-3);
    expect(gap(blurred, bump)).toBeGreaterThan(0.2);
  });

  test('refuses options out of range', () => {
    expect(() => blurring({ height: 0, width: 4 })).toThrow(
      '[core-schedules/blurring] height is out of range: height=0. Pass an integer in 1..4096.',
    );
    expect(() => blurring({ ...SHAPE, mostBlur: -1 })).toThrow('mostBlur=-1');
    expect(() => blurring({ ...SHAPE, leastGain: 0 })).toThrow('leastGain=0');
    expect(() => process.level(2)).toThrow('time=2');
  });
});

describe('critically damped Langevin diffusion', () => {
  test('has the covariance that its SDE has', () => {
    for (const time of [0.01, 0.06, 0.07, 0.5, 1]) {
      const h = 1e-5;
      const [before, now, after] = [damped.covariance(time - h), damped.covariance(time), damped.covariance(time + h)];
      const [a, b, c, d] = damped.drift;
      // dSigma / dt = F Sigma + Sigma F^T + G G^T
      const expected = [
        2 * (a * now[0] + b * now[2]),
        a * now[1] + b * now[3] + now[0] * c + now[1] * d,
        0,
        2 * (c * now[1] + d * now[3]) + damped.diffusion[3],
      ];
      for (const k of [0, 1, 3] as const) expect((after[k] - before[k]) / (2 * h)).toBeCloseTo(expected[k]!, 5);
    }
    expect(damped.covariance(1)[0]).toBeCloseTo(1, 2);
    expect(damped.covariance(1)[3]).toBeCloseTo(0.25, 2);
    expect(damped.covariance(0)).toEqual([0, 0, 0, 0.04 * 0.25]);
  });

  test('has roots whose square is the covariance, whichever', () => {
    for (const process of [damped, criticallyDamped({ root: 'cholesky' })]) {
      for (const time of [1, 0.3, 0.01]) {
        const {
          root: [a, b, c, d],
          sigma,
        } = process.level(time);
        const [xx, xv, , vv] = process.covariance(time);
        expect((a * a + b * b) / xx).toBeCloseTo(1, 7);
        expect((a * c + b * d) / xv).toBeCloseTo(1, 7);
        expect((c * c + d * d) / vv).toBeCloseTo(1, 7);
        expect(sigma).toBeCloseTo(Math.sqrt(xx), 14);
      }
    }
  });

  test('refuses what is out of range', () => {
    expect(() => criticallyDamped({ beta: 0 })).toThrow('[core-schedules/critically-damped] beta is out of range: beta=0.');
    expect(() => criticallyDamped({ root: 'qr' as never })).toThrow('unknown root: root="qr". Known: gddim, cholesky.');
    expect(() => damped.level(2)).toThrow('time is out of range: time=2.');
  });
});
