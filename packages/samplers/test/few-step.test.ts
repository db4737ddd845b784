import { defineDenoiser, CLEAN, type Denoiser, lambdaOf, type NoiseLevel, type NoiseLevels, type Sampler } from '@langevin/core';
import { arrayAlgebra, edm, flow, karras, linspaceTimes, vpLinear } from '@langevin/core-schedules';
import { threeModes } from '@langevin/core-schedules/testing';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { tfjsEngine } from '@langevin/engine-tfjs';
import {
  consistency,
  ctm,
  ddim,
  ddpm,
  euler,
  flowHeun,
  imageNoise,
  lcm,
  repaint,
  repaintSteps,
  sample,
  scm,
  startState,
  tcd,
  trajectory,
} from '@langevin/samplers';
import { testSampler } from '@langevin/samplers/testing';
import { describe, expect, test, vi } from 'vitest';

// Generous: a machine may be busy with other suites.
vi.setConfig({ testTimeout: 60_000 });

const engines = [await onnxruntimeEngine({ device: 'cpu', threads: 1 }), await tfjsEngine({ backend: 'cpu' })];
const spread = { kind: 'consistency', data: 'gaussian' } as const;
const point = { kind: 'consistency', data: 'point' } as const;

describe('ddpm, learned range of variances', () => testSampler(ddpm({ variance: 'learned-range' }), { test, engines }));
describe('lcm', () => testSampler(lcm(), { test, engines, accuracy: spread }));
describe('scm', () => testSampler(scm(), { test, engines, accuracy: spread }));
describe('consistency', () => testSampler(consistency(), { test, engines, accuracy: { ...spread, sigmaMin: 0.002 } }));
describe('tcd', () => testSampler(tcd(), { test, engines, accuracy: point }));
describe('tcd, eta 0', () => testSampler(tcd({ eta: 0 }), { test, engines }));
describe('tcd, eta 1', () => testSampler(tcd({ eta: 1 }), { test, engines, accuracy: spread }));
describe('ctm', () => testSampler(ctm(), { test, engines }));
describe('ctm, exact trajectories', () => testSampler(ctm(), { test, accuracy: spread }));
describe('ctm, gamma 0.6, exact trajectories', () => testSampler(ctm({ gamma: 0.6 }), { test, engines, accuracy: spread }));
describe('flow-heun', () => testSampler(flowHeun(), { test, engines, nfe: (steps) => 2 * steps - 1 }));
describe('repaint', () => {
  const jumps = { jumpLength: 2, jumpSamples: 3 };
  const nfe = (steps: number): number => repaintSteps(karras().levels(edm(), { steps }), jumps);
  testSampler(repaint(jumps), { test, engines, nfe });
});

const modes = threeModes().denoiser<Float64Array>();
const starts = Float64Array.of(-2, -0.4, 0.3, 1.7);
const noise = imageNoise({ seed: 5 });
const evenInTime = (steps: number): readonly NoiseLevel[] => [...linspaceTimes().levels(vpLinear(), { steps, end: 'floor' }), CLEAN];

async function gap(a: Sampler, b: Sampler, denoise: Denoiser<Float64Array> = modes): Promise<number> {
  const run = (sampler: Sampler): Promise<Float64Array> => sample({ sampler, denoise, x: starts, levels: evenInTime(12), noise });
  const [here, there] = [await run(a), await run(b)];
  return Math.max(...here.map((value, i) => Math.abs(value - there[i]!)));
}

/** The denoiser with a second output of one number. */
const second = (value: number): Denoiser<Float64Array> =>
  defineDenoiser({
    nfe: 1,
    detailed: async (x: Float64Array, at: NoiseLevels) => ({ denoised: await modes(x, at), variance: x.map(() => value) }),
  });

describe('variances of DDPM', () => {
  test('a learned range has small and large at its ends', async () => {
    const ranged = ddpm({ variance: 'learned-range' });
    expect(await gap(ranged, ddpm({ variance: 'small' }), second(-1))).toBeLessThan(1e-12);
    expect(await gap(ranged, ddpm({ variance: 'large' }), second(1))).toBeLessThan(1e-12);
    expect(await gap(ranged, ddpm({ variance: 'small' }), second(0))).toBeGreaterThan(1e-4);
  });

  test('a learned one is the exponential of the second output', async () => {
    const [from, to]: [NoiseLevel, NoiseLevel] = [vpLinear().level(0.7), vpLinear().level(0.5)];
    const run = (output: number): Promise<Float64Array> =>
      sample({ sampler: ddpm({ variance: 'learned' }), denoise: second(output), x: starts, levels: [from, to], noise });
    const still = await sample({ sampler: ddpm({ variance: 'learned' }), denoise: second(-800), x: starts, levels: [from, to], noise });
    const [a, b] = [await run(Math.log(0.04)), await run(Math.log(0.16))];
    a.forEach((value, i) => expect((b[i]! - still[i]!) / (value - still[i]!)).toBeCloseTo(2, 10));
  });

  test('say what they need', async () => {
    const run = (denoise: Denoiser<Float64Array>): Promise<Float64Array> =>
      sample({ sampler: ddpm({ variance: 'learned' }), denoise, x: starts, levels: evenInTime(2), noise });
    await expect(run(modes)).rejects.toThrow(
      '[samplers/ddpm] the sampler needs the variance part of each evaluation, which the denoiser does not give, at step 1 of 3 of ddpm',
    );
    expect(() => ddpm({ variance: 'fixed' as never })).toThrow(
      'unknown variance: variance="fixed". Known: small, large, learned, learned-range, or a function of the level.',
    );
  });
});

describe('few-step samplers', () => {
  test('meet at the ends of their options', async () => {
    expect(await gap(tcd({ eta: 0 }), ddim())).toBeLessThan(1e-12);
    expect(await gap(tcd({ eta: 1 }), lcm())).toBeLessThan(1e-12);
    expect(await gap(ctm({ gamma: 0 }), ddim())).toBeLessThan(1e-12);
    expect(await gap(ctm({ gamma: 1 }), lcm())).toBeLessThan(1e-12);
    expect(await gap(consistency({ sigmaMin: 0 }), lcm())).toBeLessThan(1e-12);
    expect(await gap(ctm({ gamma: 0.6 }), tcd({ eta: 0.2 }))).toBeLessThan(1e-12);
    expect(await gap(tcd({ eta: 0.3 }), lcm())).toBeGreaterThan(1e-3);
  });

  test('TCD jumps in the time of its process', async () => {
    const process = vpLinear();
    const [from, to] = [process.level(0.9), process.level(0.5)];
    const still = {
      name: 'zeros',
      draw: <T>({ algebra, like }: { algebra: { linear: (term: readonly [number, T]) => T }; like: T }) =>
        Promise.resolve(algebra.linear([0, like])),
    };
    const here = await sample({ sampler: tcd({ eta: 0.3, process }), denoise: modes, x: starts, levels: [from, to], noise: still });
    const landing = process.level(0.7 * process.time(lambdaOf(to)));
    const jumped = await sample({ sampler: ddim(), denoise: modes, x: starts, levels: [from, landing] });
    here.forEach((value, i) => expect(value).toBeCloseTo((to.alpha / landing.alpha) * jumped[i]!, 12));
  });

  test("on TrigFlow levels, DDIM is the rotation cos(t - t') x - sin(t - t') sigmaData F", async () => {
    const sigmaData = 0.5;
    const level = (t: number): NoiseLevel => ({ alpha: Math.cos(t), sigma: sigmaData * Math.sin(t) });
    const network = (x: number): number => Math.tanh(x);
    const [t, next] = [1.3, 0.4];
    const denoise = defineDenoiser<Float64Array>({
      nfe: 1,
      denoise: (x) => Promise.resolve(x.map((value) => Math.cos(t) * value - Math.sin(t) * sigmaData * network(value))),
    });
    const end = await sample({ sampler: ddim(), denoise, x: starts, levels: [level(t), level(next)] });
    end.forEach((value, i) =>
      expect(value).toBeCloseTo(Math.cos(t - next) * starts[i]! - Math.sin(t - next) * sigmaData * network(starts[i]!), 13),
    );
  });

  test('refuse options out of range', () => {
    expect(() => tcd({ eta: 2 })).toThrow('[samplers/tcd] eta is out of range: eta=2.');
    expect(() => ctm({ gamma: -1 })).toThrow('[samplers/ctm] gamma is out of range: gamma=-1.');
    expect(() => consistency({ sigmaMin: -1 })).toThrow('[samplers/consistency] sigmaMin is out of range: sigmaMin=-1.');
  });
});

describe('on flows', () => {
  const levels: readonly NoiseLevel[] = [1, 0.8, 0.45, 0.2, 0].map(flow().level);
  const velocity = async (x: Float64Array, t: number): Promise<Float64Array> => {
    const denoised = await modes(x, flow().level(t));
    return x.map((value, i) => (value - denoised[i]!) / t);
  };
  const times = levels.map(({ sigma }) => sigma);

  test("Euler is x + (t' - t) v", async () => {
    let x = starts;
    for (let i = 0; i + 1 < times.length; i++) {
      const v = await velocity(x, times[i]!);
      x = x.map((value, k) => value + (times[i + 1]! - times[i]!) * v[k]!);
    }
    for (const sampler of [euler(), ddim()])
      (await sample({ sampler, denoise: modes, x: starts, levels })).forEach((value, k) =>
        expect(Math.abs(value - x[k]!)).toBeLessThan(1e-12),
      );
  });

  test('flow-heun takes the mean of both velocities', async () => {
    let x = starts;
    for (let i = 0; i + 1 < times.length; i++) {
      const h = times[i + 1]! - times[i]!;
      const v = await velocity(x, times[i]!);
      const predicted = x.map((value, k) => value + h * v[k]!);
      const after = times[i + 1] === 0 ? v : await velocity(predicted, times[i + 1]!);
      x = x.map((value, k) => value + (h / 2) * (v[k]! + after[k]!));
    }
    (await sample({ sampler: flowHeun(), denoise: modes, x: starts, levels })).forEach((value, k) =>
      expect(Math.abs(value - x[k]!)).toBeLessThan(1e-12),
    );
  });

  test("LCM is (1 - t') D + t' z", async () => {
    const [from, to] = [flow().level(1), flow().level(0.6)];
    const end = await sample({ sampler: lcm(), denoise: modes, x: starts, levels: [from, to], noise });
    const denoised = await modes(starts, from);
    const z = await noise.draw({ algebra: arrayAlgebra(), like: starts, step: 0, draw: 0, interval: { from, to } });
    end.forEach((value, k) => expect(value).toBeCloseTo(0.4 * denoised[k]! + 0.6 * z[k]!, 14));
  });
});

describe('RePaint', () => {
  test('ends with the known part bit for bit, and fills the rest', async () => {
    const known = { mask: [1, 0, 1], image: [0.123456789, 0, -1.1] };
    const algebra = arrayAlgebra({ items: 2 });
    const levels = evenInTime(6);
    const x = await startState({ algebra, noise, at: levels[0]!, like: new Float64Array(6) });
    const end = await sample({ sampler: repaint({ known, jumpLength: 3, jumpSamples: 2 }), denoise: modes, x, levels, noise, algebra });
    for (const item of [0, 3]) {
      expect(end[item]).toBe(0.123456789);
      expect(end[item + 2]).toBe(-1.1);
    }
    expect(end[1]).not.toBe(end[4]);
  });

  test('walks the published schedule', async () => {
    // ts of get_schedule_jump for t_T = 7, jump_length 3, jump_n_sample 2: 6 5 4 3 4 5 6 5 4 3 2 1 0 1 2 3 2 1 0 -1
    const asked: number[] = [];
    const levels = evenInTime(6);
    const denoise = defineDenoiser<Float64Array>({
      nfe: 1,
      denoise: (x, at) => (asked.push(levels.indexOf(at as NoiseLevel)), modes(x, at)),
    });
    for await (const { nfe, step, steps } of trajectory({
      sampler: repaint({ jumpLength: 3, jumpSamples: 2 }),
      denoise,
      x: starts,
      levels,
      noise,
    })) {
      if (step === steps) expect(nfe).toBe(repaintSteps(levels, { jumpLength: 3, jumpSamples: 2 }));
    }
    expect(asked.map((k) => 6 - k)).toEqual([6, 5, 4, 6, 5, 4, 3, 2, 1, 3, 2, 1, 0]);
  });

  test('with nothing known and no jumps is its base', async () => {
    expect(await gap(repaint({ jumpSamples: 1 }), ddpm())).toBe(0);
    expect(await gap(repaint({ jumpSamples: 1, base: ddim() }), ddim())).toBe(0);
  });

  test('fills a hole of correlated Gaussian data with less bias the more it resamples', async () => {
    const results = [];
    for (const jumpSamples of [1, 5, 10]) results.push(await holeOf(jumpSamples));
    const truth = RHO * KNOWN;
    const biases = results.map(({ mean }) => Math.abs(mean - truth));
    expect(biases[1]).toBeLessThan(biases[0]! / 2);
    expect(biases[2]).toBeLessThan(biases[1]!);
  });

  test('says what does not fit', async () => {
    expect(() => repaint({ jumpLength: 0 })).toThrow('[samplers/repaint] jumpLength is out of range: jumpLength=0. Pass an integer >= 1.');
    expect(() => repaint({ known: { mask: [2], image: [0] } })).toThrow('the mask must be in 0..1: mask[0]=2.');
    expect(() => repaint({ known: { mask: [1], image: [Number.NaN] } })).toThrow('the image must be finite: image[0]=NaN.');
    const sampler = repaint({ known: { mask: [1, 0, 1], image: [0, 0, 0] } });
    await expect(sample({ sampler, denoise: modes, x: starts, levels: evenInTime(2), noise })).rejects.toThrow(
      'the mask does not fit the state: mask.length=3, an item has 4 and the batch 4.',
    );
  });
});

const RHO = 0.8;
const KNOWN = 1.5;

/** Unit normal pairs with correlation 0.8, the first known: mean of the second over runs, exactly, from one run without noise. */
async function holeOf(jumpSamples: number): Promise<{ readonly mean: number }> {
  const denoise = defineDenoiser<Float64Array>({
    nfe: 1,
    denoise: (x, at) => {
      const { alpha, sigma } = at as NoiseLevel;
      // The principal axes (a + b) / sqrt 2 and (a - b) / sqrt 2 have variances 1 + rho and 1 - rho.
      const gain = (variance: number): number => (alpha * variance) / (alpha ** 2 * variance + sigma ** 2);
      const [sum, difference] = [gain(1 + RHO) * (x[0]! + x[1]!), gain(1 - RHO) * (x[0]! - x[1]!)];
      return Promise.resolve(Float64Array.of((sum + difference) / 2, (sum - difference) / 2));
    },
  });
  const still = {
    name: 'zeros',
    draw: <T>({ algebra, like }: { algebra: { linear: (term: readonly [number, T]) => T }; like: T }) =>
      Promise.resolve(algebra.linear([0, like])),
  };
  const sampler = repaint({ known: { mask: [1, 0], image: [KNOWN, 0] }, jumpLength: 5, jumpSamples });
  const end = await sample({ sampler, denoise, x: new Float64Array(2), levels: evenInTime(40), noise: still });
  return { mean: end[1]! };
}
