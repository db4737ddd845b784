import {
  arrayAlgebra,
  flow,
  gammas,
  interpolant,
  interpolantDrift,
  interpolantVelocity,
  trigflow,
  type GammaName,
  type Interpolant,
} from '@langevin/core-schedules';
import { describe, expect, test } from 'vitest';

const algebra = arrayAlgebra();
const paths = ['linear', 'trigonometric', 'encoding-decoding'] as const;
const names = Object.keys(gammas) as GammaName[];

describe.each(paths.flatMap((path) => names.map((gamma) => ({ path, gamma }))))('$path, gamma $gamma', ({ path, gamma }) => {
  const it = interpolant({ path, gamma });

  test('leads from x0 to x1, without noise at the ends', () => {
    const sine = path === 'encoding-decoding';
    expect(it.parts(0)).toEqual({ x0: 1, x1: 0, z: expect.closeTo(0, 15) });
    expect(it.parts(1)).toEqual({ x0: expect.closeTo(0, 15), x1: expect.closeTo(1, 15), z: expect.closeTo(0, 15) });
    if (sine) expect(it.parts(0.5)).toEqual({ x0: expect.closeTo(0, 15), x1: expect.closeTo(0, 15), z: it.parts(0.5).z });
  });

  test('rates are the derivatives', () => {
    const h = 1e-6;
    for (const t of [0.1, 0.3, 0.47, 0.8]) {
      const [before, after, by] = [it.parts(t - h), it.parts(t + h), it.rates(t)];
      for (const part of ['x0', 'x1', 'z'] as const) expect((after[part] - before[part]) / (2 * h)).toBeCloseTo(by[part], 8);
      expect(it.gammaProduct(t)).toBeCloseTo(it.parts(t).z * by.z, 12);
    }
  });

  test('gamma times its rate is finite at the ends', () => {
    for (const t of [0, 1]) expect(Number.isFinite(it.gammaProduct(t))).toBe(true);
  });
});

/** Between N(m0, s0^2) and N(m1, s1^2), independent: everything is Gaussian and known. */
function gaussians(it: Interpolant) {
  const [m0, v0, m1, v1] = [0.4, 0.3 ** 2, -1, 0.7 ** 2];
  const moments = (t: number) => {
    const { x0, x1, z } = it.parts(t);
    return { mean: x0 * m0 + x1 * m1, variance: x0 ** 2 * v0 + x1 ** 2 * v1 + z ** 2 };
  };
  const estimate = (x: number, t: number) => {
    const { x0, x1 } = it.parts(t);
    const { mean, variance } = moments(t);
    const score = -(x - mean) / variance;
    return { x0: Float64Array.of(m0 - x0 * v0 * score), x1: Float64Array.of(m1 - x1 * v1 * score), score: Float64Array.of(score) };
  };
  return { moments, estimate };
}

describe.each([
  interpolant(),
  interpolant({ path: 'trigonometric', gamma: 'sine-squared' }),
  interpolant({ gamma: 'quadratic' }),
  interpolant({ gamma: 'none' }),
])('$name between Gaussians', (it) => {
  const { moments, estimate } = gaussians(it);
  /** A field linear in x as slope and offset at a time. */
  const line = (field: (x: number) => number) => ({ offset: field(0), slope: field(1) - field(0) });

  test.each([0, 0.5, 2])('mean and variance are the same for the SDEs of epsilon %s, both ways', (epsilon) => {
    for (const direction of ['falling', 'rising'] as const) {
      const drift = (t: number) =>
        line((x) => interpolantDrift({ interpolant: it, algebra, t, estimate: estimate(x, t), epsilon, direction })[0]!);
      const [from, to] = direction === 'falling' ? [0.95, 0.05] : [0.05, 0.95];
      const steps = 400;
      const h = (to - from) / steps;
      let { mean, variance } = moments(from);
      // dm/dt = slope m + offset, dV/dt = 2 slope V + 2 epsilon (against time: - 2 epsilon): classical Runge-Kutta.
      const noise = Math.sign(h) * 2 * epsilon;
      for (let i = 0; i < steps; i++) {
        const t = from + i * h;
        const [a, b, c] = [drift(t), drift(t + h / 2), drift(t + h)];
        const rate = ({ slope, offset }: typeof a, m: number, v: number) => [slope * m + offset, 2 * slope * v + noise] as const;
        const k1 = rate(a, mean, variance);
        const k2 = rate(b, mean + (h / 2) * k1[0], variance + (h / 2) * k1[1]);
        const k3 = rate(b, mean + (h / 2) * k2[0], variance + (h / 2) * k2[1]);
        const k4 = rate(c, mean + h * k3[0], variance + h * k3[1]);
        mean += (h / 6) * (k1[0] + 2 * k2[0] + 2 * k3[0] + k4[0]);
        variance += (h / 6) * (k1[1] + 2 * k2[1] + 2 * k3[1] + k4[1]);
      }
      expect(mean).toBeCloseTo(moments(to).mean, 7);
      expect(variance).toBeCloseTo(moments(to).variance, 7);
    }
  });

  test('without epsilon the drift is the velocity', () => {
    const options = { interpolant: it, algebra, t: 0.3, estimate: estimate(0.2, 0.3) };
    for (const direction of ['falling', 'rising'] as const)
      expect(interpolantDrift({ ...options, epsilon: 0, direction })).toEqual(interpolantVelocity(options));
  });
});

test('linear and without noise it is flow matching, one-sided it is a process', () => {
  const estimate = { x0: Float64Array.of(0.3), x1: Float64Array.of(-1.1), score: Float64Array.of(9) };
  expect(interpolantVelocity({ interpolant: interpolant({ gamma: 'none' }), algebra, t: 0.4, estimate })).toEqual(
    Float64Array.of(-1.1 - 0.3),
  );
  const [linear, trigonometric] = [interpolant({ gamma: 'none' }), interpolant({ path: 'trigonometric', gamma: 'none' })];
  for (const t of [0, 0.2, 0.7, 1]) {
    expect({ alpha: linear.parts(t).x0, sigma: linear.parts(t).x1 }).toEqual(flow().level(t));
    expect({ alpha: trigonometric.parts(t).x0, sigma: trigonometric.parts(t).x1 }).toEqual(trigflow({ sigmaData: 1 }).level(t));
  }
});

test('wrong options say what to do', () => {
  expect(() => interpolant({ path: 'straight' as never })).toThrow(
    'unknown path: path="straight". Known: linear, trigonometric, encoding-decoding.',
  );
  expect(() => interpolant({ gamma: 'bridge' as never })).toThrow(
    'unknown gamma: gamma="bridge". Known: brownian, quadratic, sine-squared, none; or pass value, rate and product.',
  );
  expect(() => interpolant().parts(1.2)).toThrow('t=1.2');
  const options = {
    interpolant: interpolant(),
    algebra,
    t: 0.5,
    estimate: { x0: Float64Array.of(0), x1: Float64Array.of(0), score: Float64Array.of(0) },
  };
  expect(() => interpolantDrift({ ...options, epsilon: -1, direction: 'rising' })).toThrow('epsilon=-1');
  expect(() => interpolantDrift({ ...options, epsilon: 1, direction: 'up' as never })).toThrow(
    'unknown direction: direction="up". Known: rising, falling.',
  );
});
