import { CLEAN, type NoiseLevel, type Sampler } from '@langevin/core';
import { arrayAlgebra, flow, linspaceTimes, vpLinear } from '@langevin/core-schedules';
import { threeModes } from '@langevin/core-schedules/testing';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { tfjsEngine } from '@langevin/engine-tfjs';
import { dpmpp2mSde, dpmpp3mSde, erSde, euler, eulerAncestral, imageNoise, resMultistep, sample, saSolver } from '@langevin/samplers';
import { testSampler } from '@langevin/samplers/testing';
import { describe, expect, test, vi } from 'vitest';

// Generous: a machine may be busy with other suites.
vi.setConfig({ testTimeout: 60_000 });

const engines = [await onnxruntimeEngine({ device: 'cpu', threads: 1 }), await tfjsEngine({ backend: 'cpu' })];
const pece = (steps: number) => 2 * steps - 1;

// So little of its noise is at low levels that the error of order 2 is below 1e-6 before it shows: the slope is 3.2.
describe('er-sde', () => testSampler(erSde(), { test, engines, accuracy: { kind: 'order', orHigher: true } }));
describe('er-sde, order 1', () => testSampler(erSde({ order: 1 }), { test }));
describe('er-sde, order 2', () => testSampler(erSde({ order: 2 }), { test, engines }));
describe('er-sde, reference', () => testSampler(erSde({ weights: 'reference' }), { test }));
describe('er-sde, sde', () => testSampler(erSde({ noiseScale: 'sde' }), { test }));
describe('er-sde, ode', () => testSampler(erSde({ noiseScale: 'ode' }), { test, engines }));
describe('er-sde, ode, reference', () => testSampler(erSde({ noiseScale: 'ode', weights: 'reference' }), { test }));
describe('sa-solver', () => testSampler(saSolver(), { test, engines }));
describe('sa-solver, pece', () => testSampler(saSolver({ tau: 1, mode: 'pece' }), { test, engines, nfe: pece }));
describe('sa-solver, epsilon', () => testSampler(saSolver({ tau: 1, prediction: 'epsilon' }), { test }));
describe('sa-solver, tau 0', () => testSampler(saSolver({ tau: 0 }), { test, engines }));
describe('sa-solver, tau 0, orders 2 and 3, epsilon, pece', () =>
  testSampler(saSolver({ tau: 0, predictorOrder: 2, correctorOrder: 3, prediction: 'epsilon', mode: 'pece' }), { test, nfe: pece }));
describe('sa-solver, tau 0, reference', () =>
  testSampler(saSolver({ tau: 0, predictorOrder: 2, correctorOrder: 2, weights: 'reference' }), { test }));

const modes = threeModes().denoiser<Float64Array>();
const starts = Float64Array.of(-2, -0.4, 0.3, 1.7);
const noise = imageNoise({ seed: 5 });
const onVp = [...linspaceTimes().levels(vpLinear(), { steps: 12, end: 'floor' }), CLEAN];
const onFlow = [1, 0.9, 0.7, 0.4, 0.15, 0].map(flow().level);
const GRIDS = [onVp, onFlow];

const gapOf = async (a: Sampler, b: Sampler, levels: readonly NoiseLevel[]) => {
  const [p, q] = [
    await sample({ sampler: a, denoise: modes, x: starts, levels, noise }),
    await sample({ sampler: b, denoise: modes, x: starts, levels, noise }),
  ];
  return Math.max(...p.map((value, i) => Math.abs(value - q[i]!)));
};

describe('ER-SDE', () => {
  test('of order 1 is Euler without noise, and ancestral on the reverse SDE', async () => {
    for (const levels of GRIDS) {
      expect(await gapOf(erSde({ order: 1, noiseScale: 'ode' }), euler(), levels)).toBeLessThan(1e-13);
      expect(await gapOf(erSde({ order: 1, noiseScale: 'sde' }), eulerAncestral(), levels)).toBeLessThan(1e-13);
    }
  });

  test('without noise is the published solver with its integrals in closed form', async () => {
    // phi(s) = s in the paper's eq. 16: y' = r y + (1 - r) D + (s' - s + s' I) dD + ((s' - s)^2 / 2 + s' J) ddD,
    // I = ln(s / s'), J = s - s' - s ln(s / s'), dD and ddD as differences.
    for (const order of [2, 3] as const) {
      const levels = onVp.slice(1, 12);
      let y = starts.map((value) => value / levels[0]!.alpha);
      const past: { readonly s: number; readonly denoised: Float64Array; readonly slope: Float64Array | undefined }[] = [];
      for (let i = 0; i + 1 < levels.length; i++) {
        const [s, next] = [levels[i]!.sigma / levels[i]!.alpha, levels[i + 1]!.sigma / levels[i + 1]!.alpha];
        const denoised = await modes(y, { alpha: 1, sigma: s });
        const [before, earlier] = past;
        const slope = before === undefined ? undefined : denoised.map((value, k) => (value - before.denoised[k]!) / (s - before.s));
        const [log, r] = [Math.log(s / next), next / s];
        y = y.map((value, k) => {
          let sum = r * value + (1 - r) * denoised[k]!;
          if (slope !== undefined) sum += (next - s + next * log) * slope[k]!;
          if (order === 3 && slope !== undefined && before?.slope !== undefined && earlier !== undefined) {
            sum += ((next - s) ** 2 / 2 + next * (s - next - s * log)) * ((slope[k]! - before.slope[k]!) / ((s - earlier.s) / 2));
          }
          return sum;
        });
        past.unshift({ s, denoised, slope });
      }
      const here = await sample({ sampler: erSde({ order, noiseScale: 'ode', weights: 'reference' }), denoise: modes, x: starts, levels });
      here.forEach((value, k) => expect(Math.abs(value / levels.at(-1)!.alpha - y[k]!)).toBeLessThan(1e-11));
    }
  });

  test('takes any noise scale that falls with the noise', async () => {
    expect(await gapOf(erSde({ noiseScale: (s) => s }), erSde({ noiseScale: 'sde' }), onVp)).toBe(0);
    const rising = sample({ sampler: erSde({ noiseScale: (s) => 1 / s }), denoise: modes, x: starts, levels: onVp, noise });
    await expect(rising).rejects.toThrow('[samplers/er-sde] the noise scale must be > 0 and not rise as noise falls: noiseScale(');
  });
});

describe('SA-Solver', () => {
  const alone = { correctorOrder: 0 } as const;

  test('of one evaluation is Euler at tau 0 (DDIM), and ancestral at tau 1', async () => {
    for (const levels of GRIDS) {
      expect(await gapOf(saSolver({ ...alone, predictorOrder: 1, tau: 0 }), euler(), levels)).toBeLessThan(1e-13);
      expect(await gapOf(saSolver({ ...alone, predictorOrder: 1, tau: 1 }), eulerAncestral(), levels)).toBeLessThan(1e-13);
    }
  });

  test('without corrector is the exponential Adams method, with noise of any rate the multistep SDE solver', async () => {
    for (const levels of GRIDS) {
      expect(await gapOf(saSolver({ ...alone, predictorOrder: 2, tau: 0 }), resMultistep(), levels)).toBeLessThan(1e-13);
      for (const prediction of ['x0', 'epsilon'] as const) {
        for (const tau of [0, 0.7, 1]) {
          const eta = tau ** 2;
          expect(
            await gapOf(
              saSolver({ ...alone, predictorOrder: 2, tau, prediction }),
              dpmpp2mSde({ eta, prediction, solverType: 'heun' }),
              levels,
            ),
          ).toBeLessThan(1e-12);
          expect(
            await gapOf(saSolver({ ...alone, predictorOrder: 3, tau, prediction }), dpmpp3mSde({ eta, prediction }), levels),
          ).toBeLessThan(1e-12);
        }
      }
    }
  });

  test('corrects with the noise of the prediction: predictor 1 and corrector 2, line by line', async () => {
    // x0 form at tau = 1: mean e^-2h s'/s x + a' (w0 D0 + w1 D1), with D linear between the ends of the step.
    const levels = onVp.slice(2, 7);
    let x: Float64Array = starts.slice();
    interface Start {
      readonly at: NoiseLevel;
      readonly x: Float64Array;
      readonly denoised: Float64Array;
      readonly z: Float64Array;
    }
    let from: Start | undefined;
    for (let i = 0; i + 1 < levels.length; i++) {
      const at = levels[i]!;
      const denoised = await modes(x, at);
      const move = (start: Start, to: NoiseLevel, end?: Float64Array) => {
        const kept = (to.sigma * start.at.alpha) / (to.alpha * start.at.sigma);
        const big = -2 * Math.log(kept);
        const slope = Math.expm1(-big) / big + 1;
        return start.x.map(
          (value, k) =>
            (to.sigma / start.at.sigma) * kept * value
            + to.alpha * (-Math.expm1(-big) * start.denoised[k]! + (end === undefined ? 0 : slope * (end[k]! - start.denoised[k]!)))
            + to.sigma * Math.sqrt(1 - kept ** 2) * start.z[k]!,
        );
      };
      if (from !== undefined) x = move(from, at, denoised);
      const z = await noise.draw<Float64Array>({ algebra: arrayAlgebra(), like: x, step: i, draw: 0 });
      const start: Start = { at, x, denoised, z };
      from = start;
      x = move(start, levels[i + 1]!);
    }
    const here = await sample({
      sampler: saSolver({ predictorOrder: 1, correctorOrder: 2, tau: 1 }),
      denoise: modes,
      x: starts,
      levels,
      noise,
    });
    here.forEach((value, k) => expect(Math.abs(value - x[k]!)).toBeLessThan(1e-12));
  });

  test('takes noise where its function of the level says so', async () => {
    expect(await gapOf(saSolver({ tau: () => 0.5 }), saSolver({ tau: 0.5 }), onVp)).toBe(0);
    expect(
      await gapOf(saSolver({ tau: ({ alpha, sigma }) => (sigma / alpha >= 0.05 && sigma / alpha <= 1 ? 1 : 0) }), saSolver(), onVp),
    ).toBe(0);
    expect(() => saSolver({ tau: -1 })).toThrow('[samplers/sa-solver] tau is out of range: tau=-1.');
    await expect(sample({ sampler: saSolver({ tau: () => Number.NaN }), denoise: modes, x: starts, levels: onVp, noise })).rejects.toThrow(
      'tau=NaN',
    );
    expect(() => saSolver({ predictorOrder: 5 as 4 })).toThrow('Known: 1, 2, 3, 4.');
  });
});
