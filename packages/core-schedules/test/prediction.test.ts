import { arrayAlgebra, convertPrediction, flow, predictionConversion, predictions, vpCosine, vpLinear, type NoiseLevel, type Prediction } from '@langevin/core-schedules';
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
        expect(Math.abs(c.x * x + c.prediction * truth(pair.from, level) - wanted), `${pair.from} -> ${pair.to} at t=${t}`).toBeLessThan(slack);
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
      expect(() => predictionConversion({ from: 'epsilon', to }, level)).toThrow(`[core-schedules/prediction] epsilon does not determine ${to} at alpha = 0, where the state holds no trace of x0: alpha=0, sigma=1. Use v or flow`);
    }
    expect(predictionConversion({ from: 'epsilon', to: 'score' }, level)).toEqual({ x: 0, prediction: -1 });
    expect(predictionConversion({ from: 'score', to: 'epsilon' }, level)).toEqual({ x: 0, prediction: -1 });
  });
});

describe('a clean state, sigma = 0', () => {
  const level = { alpha: 1, sigma: 0 };
  test('gives x0 from anything', () => {
    for (const from of ['epsilon', 'v', 'flow'] as const) expect(x0 * predictionConversion({ from, to: 'x0' }, level).x + truth(from, level) * predictionConversion({ from, to: 'x0' }, level).prediction).toBe(x0);
    const fromScore = predictionConversion({ from: 'score', to: 'x0' }, level);
    expect(fromScore.x).toBe(1);
    expect(Math.abs(fromScore.prediction)).toBe(0);
  });

  test('x0 says nothing of the noise, and the score is unbounded', () => {
    expect(() => predictionConversion({ from: 'x0', to: 'epsilon' }, level)).toThrow('x0 does not determine epsilon at sigma = 0, where the state holds no noise');
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
  expect(() => predictionConversion({ from: 'eps' as never, to: 'x0' }, { alpha: 1, sigma: 1 })).toThrow('unknown prediction: from="eps". Known: epsilon, x0, v, flow, score.');
  expect(() => predictionConversion({ from: 'v', to: 'x0' }, { alpha: -1, sigma: 1 })).toThrow('level={ alpha: -1, sigma: 1 }');
});
