import { lambdaOf, relativeSigma, snrOf } from '@langevin/core';
import { describe, expect, test } from 'vitest';
import {
  defineNoiseProcess,
  discreteVp,
  edm,
  flow,
  imageTokens,
  processes,
  resolutionFlowShift,
  resolutionShift,
  sequenceMu,
  shiftOfMu,
  straightFlow,
  subVp,
  trigflow,
  variancePreserving,
  ve,
  vpCosine,
  vpLinear,
} from '@langevin/core-schedules';

const times = Array.from({ length: 201 }, (_, i) => i / 200);

const chains = [
  discreteVp(),
  ...(['scaled-linear', 'squared-cosine', 'sigmoid', 'laplace'] as const).map((betas) => discreteVp({ betas })),
  discreteVp({ betas: 'scaled-linear', terminalSnr: 'zero' }),
  discreteVp({ betas: 'scaled-linear', snrShift: 3 }),
];

describe.each([
  ...chains,
  vpLinear(),
  vpCosine(),
  subVp(),
  ve(),
  edm(),
  flow(),
  flow({ shift: 3 }),
  trigflow(),
  resolutionShift(vpCosine(), { base: 64, resolution: 256 }),
])('$name', (process) => {
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
    expect(() => process.alpha(1.01)).toThrow(`[core-schedules/${process.name}] t is out of range: t=1.01.`);
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

  test('continuous VE and sub-VP', () => {
    expect([ve().sigma(0), ve().sigma(0.5), ve().sigma(1)]).toEqual([0.01, expect.closeTo(Math.sqrt(0.5), 12), 50]);
    expect(subVp().sigma(1)).toBeCloseTo(1 - Math.exp(-10.05), 14);
    expect(subVp().alpha(1)).toBe(vpLinear().alpha(1));
  });

  test('sigmoid betas go from one to the other', () => {
    const { betas } = discreteVp({ betas: 'sigmoid' });
    const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
    expect(betas[0]).toBeCloseTo(1e-4 + 0.0199 * sigmoid(-6), 15);
    expect(betas[999]).toBeCloseTo(1e-4 + 0.0199 * sigmoid(6), 15);
    expect((betas[499]! + betas[500]!) / 2).toBeCloseTo(0.01005, 12);
  });

  test('laplace: the square of alphaBar has the odds of a Laplace quantile', () => {
    // The curve is alphaBar(t) = sqrt(snr / (1 + snr)), and the chain is its ratio to t = 0.
    const { alphaBars } = discreteVp({ betas: 'laplace' });
    const odds = (t: number): number => (t < 0.5 ? (2 * t + 1e-6) ** -0.5 : (2 * (1 - t) + 1e-6) ** 0.5);
    const curve = (t: number): number => Math.sqrt(odds(t) / (1 + odds(t)));
    for (const i of [0, 100, 498, 700, 998]) expect(alphaBars[i]! / (curve((i + 1) / 1000) / curve(0))).toBeCloseTo(1, 10);
  });

  test('zero terminal signal: pure noise at the end, the first step as it was, sqrt(alphaBar) on a line with the published', () => {
    const published = discreteVp({ betas: 'scaled-linear' });
    const zero = discreteVp({ betas: 'scaled-linear', terminalSnr: 'zero' });
    expect(zero.level(1)).toEqual({ alpha: 0, sigma: 1 });
    expect([zero.alphaBars[999], zero.betas[999]]).toEqual([0, 1]);
    expect(zero.betas[0]).toBeCloseTo(0.00085, 12);
    const roots = (i: number) => [Math.sqrt(published.alphaBars[i]!), Math.sqrt(zero.alphaBars[i]!)] as const;
    const [first, last] = [roots(0), roots(999)];
    for (const i of [1, 250, 500, 998]) {
      const [x, y] = roots(i);
      expect((y - last[1]) / (x - last[0])).toBeCloseTo((first[1] - last[1]) / (first[0] - last[0]), 12);
    }
    for (const beta of zero.betas) expect(beta).toBeGreaterThan(0);
    // The published one is left alone unless asked.
    expect(snrOf(published.level(1))).toBeGreaterThan(0.004);
  });

  test('a shift divides the signal-to-noise ratio, and alphaBar / (s + (1 - s) alphaBar) says the same', () => {
    const plain = discreteVp({ betas: 'scaled-linear' });
    const shifted = discreteVp({ betas: 'scaled-linear', snrShift: 3 });
    for (const i of [0, 400, 999]) {
      const t = plain.timeOfStep(i);
      expect(snrOf(shifted.level(t)) * 3).toBeCloseTo(snrOf(plain.level(t)), 9);
      const bar = plain.alphaBars[i]!;
      expect(shifted.alphaBars[i]).toBeCloseTo(bar / (3 - 2 * bar), 14);
    }
  });

  test('trained betas may end in pure noise', () => {
    const process = discreteVp({ betas: [0.1, 0.5, 1] });
    expect(process.level(1)).toEqual({ alpha: 0, sigma: 1 });
    expect(process.alphaBars).toEqual([expect.closeTo(0.9, 14), expect.closeTo(0.45, 14), 0]);
    expect(() => discreteVp({ betas: [0.1, 1, 0.5] })).toThrow('betas[1] is out of range: betas[1]=1.');
  });

  test("shifts of flows: Flux' line, Stable Diffusion 3's root of areas", () => {
    expect(imageTokens({ height: 1024, width: 768 })).toBe(64 * 48);
    expect([sequenceMu({ tokens: 256 }), sequenceMu({ tokens: 4096 }), sequenceMu({ tokens: 2176 })]).toEqual([
      0.5,
      expect.closeTo(1.15, 12),
      expect.closeTo(0.825, 12),
    ]);
    expect([shiftOfMu(1.15), shiftOfMu(1.15, 'linear')]).toEqual([Math.exp(1.15), 1.15]);
    // e^mu / (e^mu + 1 / t - 1)
    expect(flow({ shift: shiftOfMu(0.8) }).sigma(0.3)).toBeCloseTo(Math.exp(0.8) / (Math.exp(0.8) + 1 / 0.3 - 1), 14);
    expect(resolutionFlowShift({ base: 512, resolution: 1024 })).toBe(2);
    expect(() => shiftOfMu(1, 'log' as never)).toThrow('unknown form of shift: form="log". Known: exponential, linear.');
    expect(() => imageTokens({ height: 8, width: 64 })).toThrow('height=8');
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
      const { alphaBars, timeOfStep } = discreteVp({
        betas: Array.from({ length: steps }, (_, i) => (0.1 + 19.9 * ((i + 1) / steps)) / steps),
      });
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
  expect(() => discreteVp({ betas: 'cosine' as never })).toThrow(
    'unknown beta sequence: betas="cosine". Known: linear, scaled-linear, squared-cosine, sigmoid, laplace;',
  );
  expect(() => discreteVp({ betas: [0.1, 1.5] })).toThrow('betas[1] is out of range: betas[1]=1.5.');
  expect(() => discreteVp({ terminalSnr: 'none' as never })).toThrow(
    'unknown terminal signal: terminalSnr="none". Known: published, zero.',
  );
  expect(() => flow({ shift: 0 })).toThrow('shift is out of range: shift=0.');
  expect(() => discreteVp({ steps: 1e9 })).toThrow('steps is out of range: steps=1000000000. Pass an integer in 2..100000.');
  expect(() => edm({ sigmaMin: 100 })).toThrow('sigmaMax is out of range: sigmaMax=80.');
  expect(() => edm().levelOf(-Infinity)).toThrow('pure noise has no level where alpha = 1');
  expect(() => discreteVp().timeOfStep(1000)).toThrow('step=1000');
});

test('processes are found by name, and plugins add their own', () => {
  expect(processes.names).toEqual(['discrete-vp', 'edm', 'flow', 'sub-vp', 'trigflow', 've', 'vp-cosine', 'vp-linear']);
  expect(processes.create('edm', { sigmaMax: 10 }).sigma(1)).toBe(10);
  expect(() => processes.create('vp-linear', { betaMx: 10 })).toThrow(
    '[process/vp-linear] unknown option: "betaMx". Did you mean "betaMax"?',
  );
  expect(() => processes.create('vp-liner')).toThrow(
    '[process] unknown process: "vp-liner". Did you mean "vp-linear"? Known: discrete-vp,',
  );
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
