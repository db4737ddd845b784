import { describe, expect, test } from 'vitest';
import { defineNoiseProcess, discreteVp, edm, flow, lambdaOf, processes, relativeSigma, straightFlow, variancePreserving, vpCosine, vpLinear } from '@langevin/core-schedules';

const times = Array.from({ length: 201 }, (_, i) => i / 200);

describe.each([vpLinear(), vpCosine(), discreteVp(), discreteVp({ betas: 'squared-cosine' }), edm(), flow()])('$name', (process) => {
  const inside = times.filter((t) => t >= process.domain.min && t <= process.domain.max);

  test('lambda falls strictly, t = 1 is noise', () => {
    const lambdas = inside.map(process.lambda);
    for (let i = 1; i < lambdas.length; i++) expect(lambdas[i]).toBeLessThan(lambdas[i - 1]!);
    expect(process.domain.max).toBe(1);
  });

  test('time inverts lambda, at both ends too', () => {
    for (const t of inside) expect(Math.abs(process.time(process.lambda(t)) - t)).toBeLessThan(1e-10);
  });

  test('alpha, sigma, level and lambda say the same', () => {
    for (const t of inside) {
      expect({ alpha: process.alpha(t), sigma: process.sigma(t) }).toEqual(process.level(t));
      const lambda = process.lambda(t);
      if (Number.isFinite(lambda)) expect(lambdaOf(process.level(t))).toBeCloseTo(lambda, 10);
      else expect(lambdaOf(process.level(t))).toBe(lambda);
    }
  });

  test('levelOf gives the level of every lambda, in the units of the process', () => {
    for (const t of inside) {
      const level = process.levelOf(process.lambda(t));
      expect(level.alpha).toBeCloseTo(process.alpha(t), 12);
      expect(Math.abs(level.sigma - process.sigma(t))).toBeLessThan(1e-12 * Math.max(1, process.sigma(t)));
    }
    expect(process.levelOf(Infinity)).toEqual({ alpha: 1, sigma: 0 });
  });

  test('times outside the domain are refused', () => {
    expect(() => process.alpha(1.01)).toThrow(`[core-schedules/${process.name}] t must be a number in [${process.domain.min}, 1]: t=1.01.`);
    expect(() => process.lambda(Number.NaN)).toThrow('t=NaN');
  });
});

describe('golden values', () => {
  test('DDPM chain', () => {
    const { alphaBars, level, betas } = discreteVp();
    expect(alphaBars[999]).toBeCloseTo(4.0358298e-5, 12);
    expect(relativeSigma(level(1 / 1000))).toBeCloseTo(0.0100005, 6);
    expect(relativeSigma(level(1))).toBeCloseTo(157.407, 3);
    // The mean of KL(q(x_T | x0) || N(0, 1)) over data of unit variance, nats a dimension.
    expect(-Math.log1p(-alphaBars[999]!) / 2).toBeCloseTo(2.018e-5, 8);
    expect([betas[0], betas[999]]).toEqual([1e-4, 0.02]);
  });

  test('Stable Diffusion and latent diffusion chains do not end at zero signal', () => {
    const sd = discreteVp({ betas: 'scaled-linear' });
    expect(sd.alphaBars[999]).toBeCloseTo(4.6601e-3, 7);
    expect(relativeSigma(sd.level(1))).toBeCloseTo(14.6146, 4);
    expect(relativeSigma(sd.level(sd.timeOfStep(0)))).toBeCloseTo(0.02917, 5);
    expect(discreteVp({ betas: 'scaled-linear', betaStart: 0.0015, betaEnd: 0.0195 }).alphaBars[999]).toBeCloseTo(1.423e-4, 8);
  });

  test('cosine chain: the clip binds on exactly one step', () => {
    const { betas } = discreteVp({ betas: 'squared-cosine' });
    expect(betas[0]).toBeCloseTo(4.1284e-5, 9);
    expect(betas.filter((beta) => beta === 0.999)).toHaveLength(1);
  });

  test('one-step kernels multiplied give the closed form', () => {
    const { betas, alphaBars } = discreteVp();
    let mean = 1;
    let variance = 0;
    betas.forEach((beta, i) => {
      mean *= Math.sqrt(1 - beta);
      variance = (1 - beta) * variance + beta;
      expect(Math.abs(mean ** 2 - alphaBars[i]!)).toBeLessThan(1e-12);
      expect(Math.abs(variance - (1 - alphaBars[i]!))).toBeLessThan(1e-12);
    });
  });

  test('the chain with betas of beta(t)/N tends to continuous VP as 1/N', () => {
    const process = vpLinear();
    const gap = (steps: number) => {
      const { alphaBars, timeOfStep } = discreteVp({ betas: Array.from({ length: steps }, (_, i) => (0.1 + 19.9 * ((i + 1) / steps)) / steps) });
      return Math.max(...alphaBars.map((value, i) => Math.abs(value - process.alpha(timeOfStep(i)) ** 2)));
    };
    expect(gap(1000) / gap(4000)).toBeGreaterThan(3.8);
    expect(gap(1000) / gap(4000)).toBeLessThan(4.2);
  });

  test('ends', () => {
    expect(vpLinear().alpha(1)).toBeCloseTo(Math.exp(-5.025), 14);
    expect(vpCosine().level(1)).toEqual({ alpha: 0, sigma: 1 });
    expect(flow().level(1)).toEqual({ alpha: 0, sigma: 1 });
    expect([edm().sigma(0), edm().sigma(1)]).toEqual([0.002, 80]);
  });

  test('near t = 0 sigma keeps its relative accuracy', () => {
    // sigma^2 = t betaMin + O(t^2) for vp-linear.
    expect(vpLinear().sigma(1e-12) ** 2 / 1e-13).toBeCloseTo(1, 9);
  });
});

test('wrong options say what to do', () => {
  expect(() => discreteVp({ betas: 'cosine' as never })).toThrow('unknown beta sequence: betas="cosine". Known: linear, scaled-linear, squared-cosine');
  expect(() => discreteVp({ betas: [0.1, 1.5] })).toThrow('betas[1] must be a number in (0, 1): betas[1]=1.5.');
  expect(() => discreteVp({ steps: 1e9 })).toThrow('steps must be an integer in [2, 100000]');
  expect(() => edm({ sigmaMin: 100 })).toThrow('sigmaMax must be a number in (100, Infinity): sigmaMax=80.');
  expect(() => edm().levelOf(-Infinity)).toThrow('pure noise has no level where alpha = 1');
  expect(() => discreteVp().timeOfStep(1000)).toThrow('step=1000');
});

test('processes are found by name, and plugins add their own', () => {
  expect(processes.names).toEqual(['discrete-vp', 'edm', 'flow', 'vp-cosine', 'vp-linear']);
  expect(processes.create('edm', { sigmaMax: 10 }).sigma(1)).toBe(10);
  expect(() => processes.create('vp-liner')).toThrow('[process] unknown process: "vp-liner". Did you mean "vp-linear"? Known: discrete-vp,');
  const halfway = () => defineNoiseProcess({ ...flow(), name: 'halfway', geometry: straightFlow });
  expect(processes.with({ halfway }).create('halfway').level(0.5)).toEqual({ alpha: 0.5, sigma: 0.5 });
  expect(() => processes.with({ edm: halfway })).toThrow('is taken: "edm"');
});

test('variance-preserving levels have unit total power at any lambda', () => {
  for (const lambda of [-Infinity, -300, -5, 0, 3, 300, Infinity]) {
    const { alpha, sigma } = variancePreserving(lambda);
    expect(alpha ** 2 + sigma ** 2).toBeCloseTo(1, 14);
  }
});
