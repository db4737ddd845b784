import { lambdaOf, relativeSigma } from '@langevin/core';
import {
  discreteVp,
  edm,
  flow,
  isVariancePreserving,
  processes,
  resolutionShift,
  subVp,
  transition,
  trigflow,
  variancePreserving,
  ve,
  vpCosine,
  vpLinear,
  type NoiseProcess,
} from '@langevin/core-schedules';
import { describe, expect, test } from 'vitest';

const shifted: readonly (readonly [string, NoiseProcess])[] = [
  ['flow of shift 3', flow({ shift: 3 })],
  ['vp-linear at four times the resolution', resolutionShift(vpLinear(), { base: 64, resolution: 256 })],
  ['a chain at twice the resolution', resolutionShift(discreteVp(), { base: 64, resolution: 128 })],
  ['trigflow of unit data', trigflow({ sigmaData: 1 })],
  ['a chain of zero terminal signal', discreteVp({ betas: 'scaled-linear', terminalSnr: 'zero' })],
  ["CogVideoX' chain", discreteVp({ betas: 'scaled-linear', snrShift: 3, terminalSnr: 'zero' })],
];
const all = [...processes.names.map((name) => [name, processes.create(name)] as const), ...shifted];

describe.each(all)('%s', (_, process) => {
  const { min, max } = process.domain;
  const steps = process.steps ?? 200;
  /** Between whole steps, where a chain has no kink, and away from the ends by at least a step. */
  const inside = Array.from({ length: 24 }, (_, i) => (Math.round(steps * (0.02 + (i * 0.95) / 23)) + 0.5) / steps);

  test('rates are the derivatives of alpha, sigma and lambda', () => {
    for (const t of inside) {
      const h = 1e-4 / steps;
      // A central difference of step h is off by h^2 / 6 of the third derivative, and by rounding over h.
      const by = process.rates(t);
      for (const name of ['alpha', 'sigma', 'lambda'] as const) {
        const difference = (process[name](t + h) - process[name](t - h)) / (2 * h);
        const rounding = (4e-16 * Math.max(1, Math.abs(process[name](t)))) / h;
        expect(Math.abs(difference - by[name]), `${name} at t=${t}`).toBeLessThan(rounding + 1e-6 * Math.abs(by[name]));
      }
    }
  });

  test('drift and diffusion are those of alpha and sigma', () => {
    for (const t of inside) {
      const { drift, diffusion } = process.sde(t);
      const by = process.rates(t);
      const { alpha, sigma } = process.level(t);
      const scale = Math.abs(by.alpha) + by.sigma;
      expect(Math.abs(drift * alpha - by.alpha)).toBeLessThan(1e-12 * scale);
      // d sigma^2 / dt = 2 f sigma^2 + g^2, and g^2 = -2 sigma^2 d lambda / dt.
      expect(Math.abs(2 * drift * sigma ** 2 + diffusion - 2 * sigma * by.sigma)).toBeLessThan(1e-12 * (diffusion + scale));
      expect(diffusion / (-2 * sigma ** 2 * by.lambda)).toBeCloseTo(1, 10);
      expect(drift).toBeLessThanOrEqual(0);
      expect(diffusion).toBeGreaterThan(0);
    }
  });

  test('the moments of the SDE, integrated, are alpha and sigma', () => {
    // dm/dt = f m and dV/dt = 2 f V + g^2 by the classical Runge-Kutta method, from a level of the process.
    const from = Math.round(0.1 * steps) / steps;
    const to = Math.round(0.9 * steps) / steps;
    let m = process.alpha(from);
    let v = process.sigma(from) ** 2;
    const count = process.steps === undefined ? 800 : Math.round((to - from) * steps);
    const h = (to - from) / count;
    for (let i = 0; i < count; i++) {
      const t = from + i * h;
      // A chain has kinks at whole steps: look just inside the interval.
      const [a, b, c] = [process.sde(t + 1e-5 * h), process.sde(t + h / 2), process.sde(t + h - 1e-5 * h)];
      const rate = (s: typeof a, mean: number, variance: number) => [s.drift * mean, 2 * s.drift * variance + s.diffusion] as const;
      const k1 = rate(a, m, v);
      const k2 = rate(b, m + (h / 2) * k1[0], v + (h / 2) * k1[1]);
      const k3 = rate(b, m + (h / 2) * k2[0], v + (h / 2) * k2[1]);
      const k4 = rate(c, m + h * k3[0], v + h * k3[1]);
      m += (h / 6) * (k1[0] + 2 * k2[0] + 2 * k3[0] + k4[0]);
      v += (h / 6) * (k1[1] + 2 * k2[1] + 2 * k3[1] + k4[1]);
    }
    expect(m / process.alpha(to)).toBeCloseTo(1, 6);
    expect(Math.sqrt(v) / process.sigma(to)).toBeCloseTo(1, 6);
  });

  test('any two levels are a Markov kernel apart, which Bayes turns round', () => {
    const [clean, mid, noisy] = [process.level(min), process.level((min + max) / 2), process.level(0.1 * min + 0.9 * max)];
    const far = transition(noisy, clean);
    const [first, second] = [transition(mid, clean), transition(noisy, mid)];
    // Kernels multiply: variance of two steps is that of one.
    if (clean.sigma > 0) expect(((noisy.alpha / mid.alpha) ** 2 * first.added + second.added) / far.added).toBeCloseTo(1, 10);
    const logNormal = (x: number, mean: number, variance: number) =>
      -((x - mean) ** 2) / (2 * variance) - Math.log(2 * Math.PI * variance) / 2;
    for (const [x0, y, x] of [
      [0.3, -0.2, 0.8],
      [-1, 0.1, 0.4],
      [0.2, 0.9, -1],
    ] as const) {
      const left =
        logNormal(y, second.xScale * x + second.x0Scale * x0, second.posterior) + logNormal(x, noisy.alpha * x0, noisy.sigma ** 2);
      const right = logNormal(x, (noisy.alpha / mid.alpha) * y, second.added) + logNormal(y, mid.alpha * x0, mid.sigma ** 2);
      expect(Math.abs(left - right)).toBeLessThan(1e-11 * (1 + Math.abs(left)));
    }
  });
});

test('Euler-Maruyama of the forward SDE has weak order 1, by its exact moments', () => {
  for (const process of [vpLinear(), subVp(), ve({ sigmaMax: 5 })]) {
    const error = (count: number) => {
      let [m, v] = [process.alpha(0.1), process.sigma(0.1) ** 2];
      const h = 0.8 / count;
      for (let i = 0; i < count; i++) {
        const { drift, diffusion } = process.sde(0.1 + i * h);
        m *= 1 + h * drift;
        v = (1 + h * drift) ** 2 * v + h * diffusion;
      }
      return [Math.abs(m - process.alpha(0.9)), Math.abs(v - process.sigma(0.9) ** 2)] as const;
    };
    const [coarse, fine] = [error(400), error(800)];
    // alpha = 1 is kept exactly.
    if (process.name !== 've') expect(coarse[0] / fine[0]).toBeCloseTo(2, 1);
    expect(coarse[1] / fine[1]).toBeCloseTo(2, 1);
  }
});

describe('ends', () => {
  test('of a straight path: the velocity is finite, the SDE is not', () => {
    expect(flow().rates(1)).toEqual({ alpha: -1, sigma: 1, lambda: -Infinity });
    expect(flow().rates(0)).toEqual({ alpha: -1, sigma: 1, lambda: -Infinity });
    expect(flow().sde(0)).toEqual({ drift: -1, diffusion: 0 });
    expect(flow().sde(1)).toEqual({ drift: -Infinity, diffusion: Infinity });
  });
  test('of VP: beta, whatever sigma is', () => {
    expect(vpLinear().sde(0)).toEqual({ drift: -0.05, diffusion: 0.1 });
    expect(vpLinear().sde(1)).toEqual({ drift: -10, diffusion: 20 });
    expect(vpCosine().rates(1).sigma).toBe(0);
    expect(vpCosine().sde(1)).toEqual({ drift: -Infinity, diffusion: Infinity });
    // beta(1) (1 - exp(-2 integral of beta)), Song et al. 2021, eq. 29.
    expect(subVp().sde(1).diffusion).toBeCloseTo(20 * (1 - Math.exp(-20.1)), 12);
  });
  test('of trigflow: both exactly', () => {
    const process = trigflow();
    expect([process.level(0), process.level(1)]).toEqual([
      { alpha: 1, sigma: 0 },
      { alpha: 0, sigma: 0.5 },
    ]);
    expect(process.rates(1)).toEqual({ alpha: -Math.PI / 2, sigma: 0, lambda: -Infinity });
  });
});

describe('geometries', () => {
  test('sub-VP: sigma = 1 - alpha^2 at every lambda', () => {
    const process = subVp();
    for (const lambda of [-Infinity, -30, -2, 0, 3, 30, Infinity]) {
      const { alpha, sigma } = process.levelOf(lambda);
      expect(sigma).toBeCloseTo(1 - alpha ** 2, 14);
      if (Number.isFinite(lambda) && lambda > -700) expect(lambdaOf({ alpha, sigma })).toBeCloseTo(lambda, 10);
    }
    expect(isVariancePreserving(process)).toBe(false);
    expect(process.sigma(1)).toBeLessThan(vpLinear().sigma(1));
  });
  test('trigflow: sigma / alpha is sigmaData tan(angle), and the variance of data of that deviation is kept', () => {
    for (const sigmaData of [0.5, 1]) {
      const process = trigflow({ sigmaData });
      for (const t of [0.1, 0.5, 0.9]) {
        const { alpha, sigma } = process.level(t);
        expect((alpha * sigmaData) ** 2 + sigma ** 2).toBeCloseTo(sigmaData ** 2, 14);
        expect(relativeSigma({ alpha, sigma })).toBeCloseTo(sigmaData * Math.tan(process.conditioning(t)), 12);
      }
    }
    // t_max of the paper for 80: arctan(160).
    expect(trigflow().conditioning(trigflow().span.max)).toBeCloseTo(Math.atan(160), 14);
  });
  test('a shifted flow has sigma / alpha so many times greater; another shift goes on from there', () => {
    for (const t of [0.001, 0.3, 0.99]) {
      expect(relativeSigma(flow({ shift: 3 }).level(t))).toBeCloseTo((3 * t) / (1 - t), 10);
      expect(flow({ shift: 6 }).sigma(t)).toBeCloseTo(flow({ shift: 2 }).sigma(flow({ shift: 3 }).sigma(t)), 14);
    }
    expect([flow({ shift: 3 }).level(0), flow({ shift: 3 }).level(1)]).toEqual([
      { alpha: 1, sigma: 0 },
      { alpha: 0, sigma: 1 },
    ]);
  });
  test('a resolution shift: an image averaged down to the base is as noisy as there', () => {
    const [base, large] = [vpLinear(), resolutionShift(vpLinear(), { base: 64, resolution: 256 })];
    for (const t of [0.01, 0.5, 0.9]) {
      // The mean of 4^2 independent noises has a quarter of the deviation.
      const { alpha, sigma } = large.level(t);
      expect(sigma / 4 / alpha / relativeSigma(base.level(t))).toBeCloseTo(1, 12);
      expect(alpha ** 2 + sigma ** 2).toBeCloseTo(1, 14);
    }
    expect(() => resolutionShift(flow(), { base: 64, resolution: 256 })).toThrow(
      '[core-schedules/resolution-shift] the shift is one of variance-preserving processes: process=flow.',
    );
  });
});

test('levels of a process are those of its lambda, to the end of a chain of zero terminal signal', () => {
  const process = discreteVp({ betas: 'scaled-linear', terminalSnr: 'zero' });
  for (const t of [0.999, 0.9995, 0.9999, 1]) {
    const lambda = process.lambda(t);
    expect(process.time(lambda)).toBeCloseTo(t, 10);
    expect(process.level(t)).toEqual(variancePreserving(lambda));
  }
  expect(process.rates(1).lambda).toBe(-Infinity);
  expect(Number.isFinite(process.rates(1).alpha)).toBe(true);
  expect(edm().rates(0.5).alpha).toBe(0);
});
