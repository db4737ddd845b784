import { CLEAN, type NoiseLevel } from '@langevin/core';
import { discreteVp, edm, karrasSigmas, linspaceTimes, transition, uniformLambda, vpLinear } from '@langevin/core-schedules';
import { finiteSet, gaussian, threeModes } from '@langevin/core-schedules/testing';
import { ddim, ddpm, euler, heun, imageNoise, sample, sigmaLevels } from '@langevin/samplers';
import { gaussianMoments } from '@langevin/samplers/testing';
import { describe, expect, test, vi } from 'vitest';

// Generous: a machine may be busy with other suites.
vi.setConfig({ testTimeout: 60_000 });

const modes = threeModes().denoiser<Float64Array>();
const starts = Float64Array.of(-2, -0.4, 0.3, 1.7);
/** Even in time on VP from 1 to 1e-3, N + 1 levels. */
const evenInTime = (steps: number) => linspaceTimes().levels(vpLinear(), { steps, end: 'floor' });
/** Even in time all the way to the clean end. */
const evenToZero = (steps: number) => Array.from({ length: steps + 1 }, (_, i) => vpLinear().level(1 - i / steps));

describe('DDIM', () => {
  test('equals Euler in sigma', async () => {
    const levels = [...evenInTime(30), CLEAN];
    const here = await sample({ sampler: ddim(), denoise: modes, x: starts, levels });
    // Euler on dx/ds = (x - D) / s, written out.
    let x = starts.map((value) => value / levels[0]!.alpha);
    for (let i = 0; i + 1 < levels.length; i++) {
      const [s, next] = [levels[i]!, levels[i + 1]!].map(({ alpha, sigma }) => sigma / alpha) as [number, number];
      const denoised = await modes(x, { alpha: 1, sigma: s });
      x = x.map((value, k) => value + (next - s) * ((value - denoised[k]!) / s));
    }
    here.forEach((value, k) => expect(Math.abs(value - x[k]!)).toBeLessThan(1e-10));
    const there = await sample({ sampler: euler(), denoise: modes, x: starts, levels });
    here.forEach((value, k) => expect(Math.abs(value - there[k]!)).toBeLessThan(1e-10));
  });

  test('equals DPM-Solver-1, x (s/t) - alpha (e^-h - 1) D', async () => {
    const levels = evenInTime(20);
    const here = await sample({ sampler: ddim(), denoise: modes, x: starts, levels });
    let x = starts.slice();
    for (let i = 0; i + 1 < levels.length; i++) {
      const [from, to] = [levels[i]!, levels[i + 1]!];
      const h = Math.log(to.alpha / to.sigma) - Math.log(from.alpha / from.sigma);
      const denoised = await modes(x, from);
      x = x.map((value, k) => (to.sigma / from.sigma) * value - to.alpha * Math.expm1(-h) * denoised[k]!);
    }
    here.forEach((value, k) => expect(Math.abs(value - x[k]!)).toBeLessThan(1e-10));
  });

  test('is exact in one step for one point, from any level to any other', async () => {
    const point = finiteSet([[0.4]]).denoiser<Float64Array>();
    const [from, to] = [vpLinear().level(0.9), vpLinear().level(0.2)];
    const epsilon = -0.7;
    const end = await sample({
      sampler: ddim(),
      denoise: point,
      x: Float64Array.of(from.alpha * 0.4 + from.sigma * epsilon),
      levels: [from, to],
    });
    expect(end[0]).toBeCloseTo(to.alpha * 0.4 + to.sigma * epsilon, 14);
  });

  test('misses the deviation of a Gaussian by the published table, first order', async () => {
    const { denoiser } = gaussian({ mean: [0.7], std: 0.3 });
    for (const [steps, error] of [
      [25, 0.048],
      [50, 0.0249],
      [100, 0.0127],
      [200, 0.00644],
      [400, 0.00324],
      [800, 0.00163],
    ] as const) {
      const levels = evenInTime(steps);
      const [low, high] = await sample({ sampler: ddim(), denoise: denoiser<Float64Array>(), x: Float64Array.of(0, 1), levels });
      const [start, end] = [levels[0]!, levels.at(-1)!].map(({ alpha, sigma }) => Math.hypot(alpha * 0.3, sigma));
      expect(Math.abs((high! - low!) * start! - end!) / error).toBeCloseTo(1, 2);
    }
  });

  test('with eta 1 on neighbouring steps adds the variance beta tilde', () => {
    const { level, timeOfStep, betas, alphaBars } = discreteVp();
    const { posterior, added } = transition(level(timeOfStep(500)), level(timeOfStep(499)));
    expect(posterior).toBeCloseTo((betas[500]! * (1 - alphaBars[499]!)) / (1 - alphaBars[500]!), 12);
    expect(added).toBeCloseTo(betas[500]!, 12);
    expect(posterior).toBeCloseTo(0.0100513357789, 12);
  });

  test('with eta 1 is DDPM with the posterior variance', async () => {
    const options = { denoise: modes, x: starts, levels: [...evenInTime(12), CLEAN], noise: imageNoise({ seed: 5 }) };
    const [a, b] = [await sample({ ...options, sampler: ddim({ eta: 1 }) }), await sample({ ...options, sampler: ddpm() })];
    a.forEach((value, k) => expect(Math.abs(value - b[k]!)).toBeLessThan(1e-12));
  });
});

describe('the transition between levels', () => {
  test('is Bayes-consistent: posterior times evidence is kernel times prior', () => {
    const [from, to]: [NoiseLevel, NoiseLevel] = [vpLinear().level(0.7), vpLinear().level(0.4)];
    const { added, posterior, xScale, x0Scale } = transition(from, to);
    const logNormal = (x: number, mean: number, variance: number) =>
      -((x - mean) ** 2) / (2 * variance) - Math.log(2 * Math.PI * variance) / 2;
    for (const [x0, y, x] of [
      [0.3, -0.2, 0.8],
      [-1, 0.1, 0.4],
      [2, 1, -1],
    ] as const) {
      const left = logNormal(y, xScale * x + x0Scale * x0, posterior) + logNormal(x, from.alpha * x0, from.sigma ** 2);
      const right = logNormal(x, (from.alpha / to.alpha) * y, added) + logNormal(y, to.alpha * x0, to.sigma ** 2);
      expect(left).toBeCloseTo(right, 11);
    }
  });
});

describe('ancestral sampling of N(0.7, 0.3^2)', () => {
  const normal = gaussian({ mean: [0.7], std: 0.3 });
  const varianceError = async (options: Parameters<typeof ddpm>[0], levels: readonly NoiseLevel[]) => {
    const { variance } = await gaussianMoments(ddpm(options), { mean: 0.7, std: 0.3, levels });
    const { alpha, sigma } = levels.at(-1)!;
    return Math.abs(variance - (alpha * 0.3) ** 2 - sigma ** 2);
  };

  test('is exact with the optimal variance at any number of steps', async () => {
    for (const steps of [1, 2, 25, 200])
      expect(await varianceError({ variance: (at) => normal.posteriorVariance(at) }, evenInTime(steps))).toBeLessThan(1e-10);
  });

  test('misses by the published table with the variance of posterior or kernel', async () => {
    // As many digits as are published.
    for (const [steps, error] of [
      [25, 0.039],
      [50, 0.026],
      [100, 0.016],
      [200, 0.0093],
      [400, 0.0051],
    ] as const) {
      expect(Number((await varianceError({ variance: 'small' }, evenToZero(steps))).toPrecision(2))).toBe(error);
    }
    expect(Number((await varianceError({ variance: 'large' }, evenToZero(25))).toPrecision(3))).toBe(0.0103);
  });
});

describe('Heun', () => {
  test('is Algorithm 2 line by line', async () => {
    const sigmas = karrasSigmas({ steps: 18 });
    const here = await sample({ sampler: heun(), denoise: modes, x: Float64Array.of(40, -3, 90), levels: sigmaLevels(sigmas) });
    let x = Float64Array.of(40, -3, 90);
    for (let i = 0; i < 18; i++) {
      const [t, next] = [sigmas[i]!, sigmas[i + 1]!];
      const denoised = await modes(x, { alpha: 1, sigma: t });
      const d = x.map((value, k) => (value - denoised[k]!) / t);
      let after = x.map((value, k) => value + (next - t) * d[k]!);
      if (next !== 0) {
        const again = await modes(after, { alpha: 1, sigma: next });
        after = x.map((value, k) => value + (next - t) * (d[k]! / 2 + (after[k]! - again[k]!) / next / 2));
      }
      x = after;
    }
    here.forEach((value, k) => expect(Math.abs(value - x[k]!)).toBeLessThan(1e-10));
  });

  test('churn leaves the spread of Gaussian data alone', async () => {
    const levels = uniformLambda({ sigmaMin: 0.01, sigmaMax: 20 }).levels(edm(), { steps: 400, end: 'floor' });
    const { mean, variance } = await gaussianMoments(heun({ sChurn: 30 }), { mean: 1, std: 0.5, levels });
    expect(mean).toBeCloseTo(1, 3);
    expect(variance).toBeCloseTo(0.25 + 1e-4, 3);
  });

  test('refuses pure noise and options out of range', async () => {
    const levels = [{ alpha: 0, sigma: 1 }, CLEAN];
    await expect(sample({ sampler: heun(), denoise: modes, x: starts, levels })).rejects.toThrow(
      '[samplers/heun] the method integrates over sigma / alpha, which is infinite at alpha = 0',
    );
    expect(() => heun({ sChurn: -1 })).toThrow('[samplers/heun] sChurn is out of range: sChurn=-1. Pass a number >= 0.');
    expect(() => heun({ sTMin: 2, sTMax: 1 })).toThrow('sTMax=1. Pass a number >= sTMin.');
    expect(() => ddim({ eta: 2 })).toThrow('[samplers/ddim] eta is out of range: eta=2. Pass 0 for the deterministic sampler, 1 for DDPM.');
    expect(() => ddpm({ variance: 'tiny' as never })).toThrow('[samplers/ddpm] unknown variance: variance="tiny". Known: small, large');
  });
});

test('Euler, DDIM and DDPM start from pure noise', async () => {
  const levels: NoiseLevel[] = [{ alpha: 0, sigma: 1 }, { alpha: 0.5, sigma: 0.5 }, CLEAN];
  const normal = gaussian({ mean: [0.7], std: 0.3 }).denoiser<Float64Array>();
  for (const sampler of [euler(), ddim(), ddim({ eta: 1 }), ddpm(), ddpm({ variance: 'large' })]) {
    const end = await sample({ sampler, denoise: normal, x: Float64Array.of(0.3), levels, noise: imageNoise({ seed: 1 }) });
    expect(Math.abs(end[0]! - 0.7)).toBeLessThan(1.5);
  }
});
