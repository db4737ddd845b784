import { CLEAN, type NoiseLevel, type Sampler } from '@langevin/core';
import { arrayAlgebra, edm, flow, linspaceTimes, uniformLambda, vpLinear } from '@langevin/core-schedules';
import { threeModes } from '@langevin/core-schedules/testing';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { tfjsEngine } from '@langevin/engine-tfjs';
import {
  brownianTreeNoise,
  dpmpp2m,
  dpmpp2mSde,
  dpmpp2s,
  dpmpp3m,
  dpmpp3mSde,
  dpmppSde,
  dpmSolver,
  euler,
  eulerAncestral,
  imageNoise,
  sample,
  seeds2,
  seeds3,
} from '@langevin/samplers';
import { gaussianMoments, orderGrid, testSampler } from '@langevin/samplers/testing';
import { describe, expect, test, vi } from 'vitest';

// Generous: a machine may be busy with other suites.
vi.setConfig({ testTimeout: 60_000 });

const engines = [await onnxruntimeEngine({ device: 'cpu', threads: 1 }), await tfjsEngine({ backend: 'cpu' })];
const twoEach = (steps: number) => 2 * steps - 1;
const threeEach = (steps: number) => 3 * steps - 2;

describe('dpmpp-sde', () => testSampler(dpmppSde(), { test, engines, nfe: twoEach }));
describe('dpmpp-sde, eta 0', () => testSampler(dpmppSde({ eta: 0 }), { test, engines, nfe: twoEach }));
describe('dpmpp-2m-sde', () => testSampler(dpmpp2mSde(), { test, engines }));
describe('dpmpp-2m-sde, heun', () => testSampler(dpmpp2mSde({ solverType: 'heun', eta: 0.5 }), { test }));
describe('dpmpp-2m-sde, eta 0', () => testSampler(dpmpp2mSde({ eta: 0 }), { test, engines }));
describe('dpmpp-2m-sde, epsilon', () => testSampler(dpmpp2mSde({ prediction: 'epsilon' }), { test, engines }));
describe('dpmpp-2m-sde, epsilon, eta 0', () => testSampler(dpmpp2mSde({ prediction: 'epsilon', eta: 0 }), { test }));
describe('dpmpp-2m-sde, order 1', () => testSampler(dpmpp2mSde({ order: 1 }), { test }));
describe('dpmpp-3m-sde', () => testSampler(dpmpp3mSde(), { test, engines }));
// On even steps, errors of third order cancel in part: the slope is 3.7.
describe('dpmpp-3m-sde, eta 0', () => testSampler(dpmpp3mSde({ eta: 0 }), { test, engines, accuracy: { kind: 'order', orHigher: true } }));
describe('dpmpp-3m-sde, reference', () => testSampler(dpmpp3mSde({ eta: 0, weights: 'reference' }), { test }));
describe('dpmpp-3m-sde, diffusers', () => testSampler(dpmpp3mSde({ eta: 0, weights: 'diffusers' }), { test }));
describe('seeds-2', () => testSampler(seeds2(), { test, engines, nfe: twoEach }));
describe('seeds-2, eta 0', () => testSampler(seeds2({ eta: 0 }), { test, nfe: twoEach }));
describe('seeds-2, heun, eta 0', () => testSampler(seeds2({ eta: 0, solverType: 'heun', r: 0.7 }), { test, nfe: twoEach }));
describe('seeds-3', () => testSampler(seeds3(), { test, engines, nfe: threeEach }));
describe('seeds-3, eta 0', () => testSampler(seeds3({ eta: 0 }), { test, nfe: threeEach }));

const modes = threeModes().denoiser<Float64Array>();
const starts = Float64Array.of(-2, -0.4, 0.3, 1.7);
const noise = imageNoise({ seed: 5 });
const arrays = arrayAlgebra();
const onVp = [...linspaceTimes().levels(vpLinear(), { steps: 12, end: 'floor' }), CLEAN];
const onFlow = [1, 0.9, 0.7, 0.4, 0.15, 0].map(flow().level);

const runs = (sampler: Sampler, levels: readonly NoiseLevel[] = onVp) => sample({ sampler, denoise: modes, x: starts, levels, noise });
const gapOf = async (a: Sampler, b: Sampler, levels?: readonly NoiseLevel[]) => {
  const [p, q] = [await runs(a, levels), await runs(b, levels)];
  return Math.max(...p.map((value, i) => Math.abs(value - q[i]!)));
};

describe('kin', () => {
  test('one evaluation a step is Euler, ancestral with noise of any rate at 1', async () => {
    for (const levels of [onVp, onFlow]) {
      expect(await gapOf(dpmpp2mSde({ order: 1, eta: 0 }), euler(), levels)).toBeLessThan(1e-14);
      expect(await gapOf(dpmpp2mSde({ order: 1 }), eulerAncestral(), levels)).toBeLessThan(1e-14);
    }
  });

  test('SEEDS-2 and the singlestep SDE sampler are one without noise', async () => {
    for (const levels of [onVp, onFlow])
      expect(await gapOf(seeds2({ eta: 0, r: 0.4 }), dpmppSde({ eta: 0, r: 0.4 }), levels)).toBeLessThan(1e-13);
  });

  test('without noise they are the deterministic methods', async () => {
    for (const levels of [onVp, onFlow]) {
      for (const solverType of ['midpoint', 'heun'] as const) {
        expect(await gapOf(dpmpp2mSde({ eta: 0, solverType }), dpmpp2m({ solverType, lowerOrderFinal: 'clean' }), levels)).toBe(0);
      }
      expect(await gapOf(dpmpp3mSde({ eta: 0 }), dpmpp3m({ solverType: 'heun', lowerOrderFinal: 'clean' }), levels)).toBeLessThan(1e-14);
      expect(await gapOf(dpmppSde({ eta: 0 }), dpmpp2s(), levels)).toBeLessThan(1e-13);
      expect(await gapOf(seeds2({ eta: 0 }), dpmpp2s(), levels)).toBeLessThan(1e-13);
      expect(await gapOf(seeds3({ eta: 0 }), dpmSolver({ order: 3, prediction: 'x0' }), levels)).toBeLessThan(1e-13);
    }
  });

  test('second steps of 3M are those of 2M', async () => {
    const levels = onVp.slice(0, 3);
    for (const solverType of ['midpoint', 'heun'] as const) {
      for (const prediction of ['x0', 'epsilon'] as const)
        expect(await gapOf(dpmpp3mSde({ solverType, prediction }), dpmpp2mSde({ solverType, prediction }), levels)).toBe(0);
    }
  });

  test('both predictions are one where the order is 1 and the rate 0', async () => {
    expect(await gapOf(dpmpp2mSde({ order: 1, eta: 0, prediction: 'epsilon' }), euler())).toBeLessThan(1e-13);
  });

  test('the noise prediction is the published sde-dpmsolver', async () => {
    // x' = (a' / a) x - 2 s' (e^h - 1) (e0 + D1 / 2) + s' sqrt(e^2h - 1) z, D1 = (e0 - e1) h / h_last
    const levels = onVp.slice(2, 7);
    let x = starts.slice();
    let before: { readonly lambda: number; readonly epsilon: Float64Array } | undefined;
    for (let i = 0; i + 1 < levels.length; i++) {
      const [from, to] = [levels[i]!, levels[i + 1]!];
      const denoised = await modes(x, from);
      const epsilon = x.map((value, k) => (value - from.alpha * denoised[k]!) / from.sigma);
      const [lambda, next] = [Math.log(from.alpha / from.sigma), Math.log(to.alpha / to.sigma)];
      const h = next - lambda;
      const z = await noise.draw({ algebra: arrays, like: x, step: i, draw: 0 });
      const slope = epsilon.map((value, k) => (before === undefined ? 0 : ((value - before.epsilon[k]!) * h) / (lambda - before.lambda)));
      x = x.map(
        (value, k) =>
          (to.alpha / from.alpha) * value
          - 2 * to.sigma * Math.expm1(h) * (epsilon[k]! + slope[k]! / 2)
          + to.sigma * Math.sqrt(Math.expm1(2 * h)) * z[k]!,
      );
      before = { lambda, epsilon };
    }
    const here = await runs(dpmpp2mSde({ prediction: 'epsilon' }), levels);
    here.forEach((value, k) => expect(Math.abs(value - x[k]!)).toBeLessThan(1e-12));
  });
});

describe('on Gaussian data', () => {
  test('noise of any rate keeps the marginal variance as steps shrink', async () => {
    const levels = orderGrid(200);
    const { alpha, sigma } = levels.at(-1)!;
    for (const sampler of [
      dpmppSde({ eta: 0.5 }),
      dpmpp2mSde({ eta: 2 }),
      dpmpp3mSde({ eta: 0.3 }),
      seeds2({ eta: 0.6 }),
      seeds3(),
      eulerAncestral({ eta: 0.5 }),
    ]) {
      const { mean, variance } = await gaussianMoments(sampler, { mean: 0.7, std: 0.3, levels });
      expect(Math.abs(mean / (alpha * 0.7) - 1)).toBeLessThan(0.01);
      expect(Math.abs(variance / ((alpha * 0.3) ** 2 + sigma ** 2) - 1)).toBeLessThan(0.06);
    }
  });
});

test('one Brownian path leads SDE samplers of other step counts to near places', async () => {
  const spread = async (steps: number) => {
    const levels = uniformLambda({ sigmaMin: 0.02, sigmaMax: 20 }).levels(edm(), { steps, end: 'floor' });
    const path = brownianTreeNoise({ seed: 3, sigmaMin: 0.02, sigmaMax: 20 });
    return sample({ sampler: seeds3(), denoise: modes, x: Float64Array.of(18, -25, 4, -9), levels, noise: path });
  };
  const [coarse, fine] = [await spread(60), await spread(120)];
  coarse.forEach((value, i) => expect(Math.abs(value - fine[i]!)).toBeLessThan(0.05));
});

describe('options out of range', () => {
  test('are named with their value', () => {
    expect(() => dpmpp2mSde({ eta: Number.NaN })).toThrow('[samplers/dpmpp-2m-sde] eta is out of range: eta=NaN.');
    expect(() => dpmpp2mSde({ solverType: 'bh1' as 'heun' })).toThrow('unknown solverType: solverType="bh1". Known: midpoint, heun.');
    expect(() => dpmpp3mSde({ weights: 'right' as 'exact' })).toThrow('Known: exact, reference, diffusers.');
    expect(() => dpmppSde({ r: 0 })).toThrow('[samplers/dpmpp-sde] r is out of range: r=0.');
    expect(() => seeds3({ r1: 0.8 })).toThrow('[samplers/seeds-3] r1 is out of range: r1=0.8.');
  });
});
