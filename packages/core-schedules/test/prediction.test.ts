import type { NoiseLevel } from '@langevin/core';
import {
  arrayAlgebra,
  convertPrediction,
  denoiserOfScore,
  discreteVp,
  flow,
  predictionConversion,
  predictions,
  processes,
  scoreOf,
  trigflow,
  velocityFromX0,
  vpCosine,
  vpLinear,
  x0FromVelocity,
  type Prediction,
} from '@langevin/core-schedules';
import { gaussian } from '@langevin/core-schedules/testing';
import { describe, expect, test } from 'vitest';

const x0 = 0.8;
const epsilon = -1.3;
/** By the definitions, with no solving. */
const truth = (prediction: Prediction, { alpha, sigma }: NoiseLevel): number =>
  ({ epsilon, x0, v: alpha * epsilon - sigma * x0, flow: epsilon - x0, score: -epsilon / sigma })[prediction];

const pairs = predictions.flatMap((from) => predictions.filter((to) => to !== from).map((to) => ({ from, to })));

describe.each([vpLinear(), vpCosine(), flow()])('on $name', (process) => {
  test('all 20 conversions agree with the definitions, all over time', () => {
    for (const t of [0.001, 0.02, 0.3, 0.5, 0.8, 0.99]) {
      const level = process.level(t);
      const x = level.alpha * x0 + level.sigma * epsilon;
      for (const pair of pairs) {
        const c = predictionConversion(pair, level);
        const wanted = truth(pair.to, level);
        // Rounding is amplified by at most sigma/alpha, alpha/sigma or 1/sigma^2.
        const slack = 1e-14 * Math.max(1, level.alpha / level.sigma, level.sigma / level.alpha) ** 2 * (1 + Math.abs(wanted));
        expect(Math.abs(c.x * x + c.prediction * truth(pair.from, level) - wanted), `${pair.from} -> ${pair.to} at t=${t}`).toBeLessThan(
          slack,
        );
      }
    }
  });
});

test('round trips are the identity in float32 over the whole of time', () => {
  const algebra = arrayAlgebra();
  for (let t = 0.02; t < 0.98; t += 0.06) {
    const at = vpLinear().level(t);
    const x = Float32Array.of(at.alpha * x0 + at.sigma * epsilon);
    for (const { from, to } of pairs) {
      const prediction = Float32Array.of(truth(from, at));
      const there = convertPrediction({ algebra, x, prediction, from, to, at });
      const back = convertPrediction({ algebra, x, prediction: there, from: to, to: from, at });
      const amplification = Math.max(1, at.alpha / at.sigma, at.sigma / at.alpha);
      expect(Math.abs(back[0]! - prediction[0]!), `${from} -> ${to} at t=${t}`).toBeLessThan(1e-6 * amplification);
    }
  }
});

test('on every process, all over time and at both ends, a round trip is the identity or refused with a reason', () => {
  let [done, refused] = [0, 0];
  for (const process of [
    ...processes.names.map((name) => processes.create(name)),
    discreteVp({ betas: 'scaled-linear', terminalSnr: 'zero' }),
  ]) {
    for (let i = 0; i <= 40; i++) {
      const t = i === 0 ? process.domain.min : i === 40 ? 1 : process.domain.min + (i * (1 - process.domain.min)) / 40;
      const at = process.level(t);
      const x = at.alpha * x0 + at.sigma * epsilon;
      for (const { from, to } of pairs) {
        const given = truth(from, at);
        let there, back;
        try {
          there = predictionConversion({ from, to }, at);
          back = predictionConversion({ from: to, to: from }, at);
        } catch (error) {
          expect(String(error)).toMatch(/does not determine|unbounded/u);
          expect(at.alpha === 0 || at.sigma === 0, `${from} -> ${to} on ${process.name} at t=${t}`).toBe(true);
          refused++;
          continue;
        }
        if (!Number.isFinite(given)) continue;
        const wanted = there.x * x + there.prediction * given;
        const again = back.x * x + back.prediction * wanted;
        const slack =
          1e-14
          * (1 + Math.abs(back.prediction))
          * (1 + Math.abs(there.prediction) + Math.abs(there.x))
          * (1 + Math.abs(given) + Math.abs(x));
        expect(Math.abs(again - given), `${from} -> ${to} on ${process.name} at t=${t}`).toBeLessThan(slack);
        done++;
      }
    }
  }
  expect(done).toBeGreaterThan(6000);
  expect(refused).toBeGreaterThan(30);
});

describe('the velocity of a process', () => {
  test.each(processes.names)("of %s is alpha' x0 + sigma' epsilon, and gives x0 back", (name) => {
    const process = processes.create(name);
    for (const t of [0.05, 0.31, 0.5, 0.77, 0.99]) {
      const { alpha, sigma } = process.level(t);
      const x = alpha * x0 + sigma * epsilon;
      const by = process.rates(t);
      const velocity = by.alpha * x0 + by.sigma * epsilon;
      const to = velocityFromX0(process, t);
      expect((to.x * x + to.prediction * x0) / velocity).toBeCloseTo(1, 10);
      const back = x0FromVelocity(process, t);
      expect(back.x * x + back.prediction * velocity).toBeCloseTo(x0, 9);
    }
  });
  test('of a flow is the flow prediction, of trigflow v times the angular speed', () => {
    const at = flow().level(0.3);
    const asFlow = predictionConversion({ from: 'x0', to: 'flow' }, at);
    expect(velocityFromX0(flow(), 0.3)).toEqual({ x: expect.closeTo(asFlow.x, 12), prediction: expect.closeTo(asFlow.prediction, 12) });
    const process = trigflow({ sigmaData: 1 });
    const asV = predictionConversion({ from: 'x0', to: 'v' }, process.level(0.3));
    expect(velocityFromX0(process, 0.3)).toEqual({
      x: expect.closeTo((asV.x * Math.PI) / 2, 12),
      prediction: expect.closeTo((asV.prediction * Math.PI) / 2, 12),
    });
  });
  test('at the ends is exact or refused', () => {
    expect(x0FromVelocity(flow(), 1)).toEqual({ x: 1, prediction: -1 });
    expect(x0FromVelocity(flow(), 0)).toEqual({ x: 1, prediction: 0 });
    expect(() => velocityFromX0(flow(), 0)).toThrow(
      '[core-schedules/velocity] x0 does not determine the velocity at sigma = 0: process=flow, t=0.',
    );
    expect(() => x0FromVelocity(vpLinear(), 0)).toThrow('the velocity is infinite: process=vp-linear, t=0.');
  });
});

describe('Tweedie', () => {
  const algebra = arrayAlgebra();
  const data = gaussian({ mean: [0.7], std: 0.3 });
  test('the score of a denoiser is the gradient of log density, and back', async () => {
    const score = scoreOf({ denoise: data.denoiser<Float64Array>(), algebra });
    const back = denoiserOfScore({ score, algebra });
    for (const t of [0.05, 0.5, 0.95]) {
      const at = vpLinear().level(t);
      for (const x of [-1, 0.2, 2]) {
        const h = 1e-5;
        const gradient = (data.logDensity([x + h], at) - data.logDensity([x - h], at)) / (2 * h);
        expect((await score(Float64Array.of(x), at))[0]! / gradient).toBeCloseTo(1, 7);
        expect((await back(Float64Array.of(x), at))[0]).toBeCloseTo((await data.denoiser<Float64Array>()(Float64Array.of(x), at))[0]!, 10);
      }
    }
  });
  test('is refused where nothing is known', async () => {
    await expect(scoreOf({ denoise: data.denoiser<Float64Array>(), algebra })(Float64Array.of(1), { alpha: 1, sigma: 0 })).rejects.toThrow(
      'sigma = 0',
    );
    await expect(
      denoiserOfScore<Float64Array>({ score: (x) => Promise.resolve(x), algebra })(Float64Array.of(1), { alpha: 0, sigma: 1 }),
    ).rejects.toThrow('alpha = 0');
  });
});

describe('pure noise, alpha = 0', () => {
  const level = { alpha: 0, sigma: 1 };
  test('v and flow determine everything', () => {
    for (const from of ['v', 'flow'] as const) {
      for (const to of predictions.filter((name) => name !== from)) {
        const c = predictionConversion({ from, to }, level);
        expect(c.x * epsilon + c.prediction * truth(from, level)).toBeCloseTo(truth(to, level), 14);
      }
    }
  });

  test('epsilon says nothing of x0, but everything of the score', () => {
    for (const to of ['x0', 'v', 'flow'] as const) {
      expect(() => predictionConversion({ from: 'epsilon', to }, level)).toThrow(
        `[core-schedules/prediction] epsilon does not determine ${to} at alpha = 0, where the state holds no trace of x0: alpha=0, `
          + 'sigma=1. Use v or flow',
      );
    }
    expect(predictionConversion({ from: 'epsilon', to: 'score' }, level)).toEqual({ x: 0, prediction: -1 });
    expect(predictionConversion({ from: 'score', to: 'epsilon' }, level)).toEqual({ x: 0, prediction: -1 });
  });
});

describe('a clean state, sigma = 0', () => {
  const level = { alpha: 1, sigma: 0 };
  test('gives x0 from anything', () => {
    for (const from of ['epsilon', 'v', 'flow'] as const)
      expect(
        x0 * predictionConversion({ from, to: 'x0' }, level).x
          + truth(from, level) * predictionConversion({ from, to: 'x0' }, level).prediction,
      ).toBe(x0);
    const fromScore = predictionConversion({ from: 'score', to: 'x0' }, level);
    expect(fromScore.x).toBe(1);
    expect(Math.abs(fromScore.prediction)).toBe(0);
  });

  test('x0 says nothing of the noise, and the score is unbounded', () => {
    expect(() => predictionConversion({ from: 'x0', to: 'epsilon' }, level)).toThrow(
      'x0 does not determine epsilon at sigma = 0, where the state holds no noise',
    );
    expect(() => predictionConversion({ from: 'x0', to: 'v' }, level)).toThrow('x0 does not determine v');
    expect(() => predictionConversion({ from: 'v', to: 'score' }, level)).toThrow('the score is unbounded at sigma = 0');
  });
});

test('levels may differ from item to item', () => {
  const at = [vpLinear().level(0.2), vpLinear().level(0.9)];
  const x = Float64Array.from(at, ({ alpha, sigma }) => alpha * x0 + sigma * epsilon);
  const v = Float64Array.from(at, (level) => truth('v', level));
  const result = convertPrediction({ algebra: arrayAlgebra({ items: 2 }), x, prediction: v, from: 'v', to: 'x0', at });
  result.forEach((value) => expect(value).toBeCloseTo(x0, 14));
});

test('unknown names are refused', () => {
  expect(() => predictionConversion({ from: 'eps' as never, to: 'x0' }, { alpha: 1, sigma: 1 })).toThrow(
    'unknown prediction: from="eps". Known: epsilon, x0, v, flow, score.',
  );
  expect(() => predictionConversion({ from: 'v', to: 'x0' }, { alpha: -1, sigma: 1 })).toThrow('level={ alpha: -1, sigma: 1 }');
});
