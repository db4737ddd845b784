import { CLEAN, discreteVp, edm, flow, karras, karrasSigmas, lambdaOf, leading, linspaceTimes, processes, relativeSigma, sigmaLevel, snrOf, spacings, trailing, uniformLambda, vpLinear, type NoiseLevel } from '@langevin/core-schedules';
import { describe, expect, test } from 'vitest';

/** Levels of a 1000-step chain as step numbers; the clean end is left out. */
const stepsOf = (levels: readonly NoiseLevel[]): number[] => levels.filter(({ sigma }) => sigma > 0).map((level) => Math.round(discreteVp().time(lambdaOf(level)) * 1000 - 1));

test("Karras' 18 steps are the published ones", () => {
  const published = [80, 57.586, 40.786, 28.375, 19.353, 12.91, 8.4009, 5.3152, 3.2568, 1.9233, 1.0882, 0.5853, 0.2964, 0.1395, 0.0599, 0.0229, 0.0075, 0.002];
  const sigmas = karrasSigmas({ steps: 18 });
  expect(sigmas).toHaveLength(19);
  expect(sigmas[18]).toBe(0);
  // Printed digits were cut, not rounded.
  published.forEach((value, i) => expect(Math.abs(sigmas[i]! - value)).toBeLessThan(10 ** -(String(value).split('.')[1]?.length ?? 3)));
  expect(Array.from(karrasSigmas({ steps: 3, sigmaMin: 1, sigmaMax: 16, rho: 2 }))).toEqual([16, 6.25, 1, 0]);
  const levels = karras().levels(edm(), { steps: 18 });
  levels.forEach(({ sigma }, i) => expect(sigma).toBeCloseTo(sigmas[i]!, 12));
  expect([levels[0], levels[18]]).toEqual([{ alpha: 1, sigma: 80 }, CLEAN]);
});

test("time of edm() is Karras' own: even in t is karras()", () => {
  const even = linspaceTimes().levels(edm(), { steps: 11 });
  karras().levels(edm(), { steps: 11 }).forEach(({ sigma }, i) => expect(sigma).toBeCloseTo(even[i]!.sigma, 10));
});

describe('steps of a chain are those of diffusers', () => {
  const process = discreteVp();
  test('leading, with and without offset', () => {
    expect(stepsOf(leading().levels(process, { steps: 5 }))).toEqual([800, 600, 400, 200, 0]);
    expect(stepsOf(leading({ offset: 1 }).levels(process, { steps: 5 }))).toEqual([801, 601, 401, 201, 1]);
  });
  test('linspace rounds halves to even', () => {
    expect(stepsOf(linspaceTimes().levels(process, { steps: 5 }))).toEqual([999, 749, 500, 250, 0]);
    expect(stepsOf(linspaceTimes().levels(process, { steps: 3 }))).toEqual([999, 500, 0]);
  });
  test('trailing begins at the noisiest', () => {
    expect(stepsOf(trailing().levels(process, { steps: 5 }))).toEqual([999, 799, 599, 399, 199]);
    expect(stepsOf(trailing().levels(process, { steps: 3 }))).toEqual([999, 666, 332]);
    expect(stepsOf(trailing().levels(process, { steps: 1 }))).toEqual([999]);
  });
});

describe.each(spacings.names)('%s', (name) => {
  const onProcesses = processes.names.map((process) => processes.create(process)).filter((process) => (name !== 'leading' || process.steps !== undefined) && !(process.name === 'flow' && ['karras', 'exponential', 'uniform-lambda'].includes(name)));

  test.each(onProcesses)('on $name: N + 1 levels, noise falling strictly, from most to none or to the floor', (process) => {
    for (const steps of [1, 2, 7, 50]) {
      for (const end of ['clean', 'floor'] as const) {
        const levels = spacings.create(name, name === 'leading' ? { offset: 1 } : undefined).levels(process, { steps, end });
        expect(levels).toHaveLength(steps + 1);
        for (let i = 1; i <= steps; i++) expect(lambdaOf(levels[i]!)).toBeGreaterThan(lambdaOf(levels[i - 1]!));
        if (name !== 'leading') expect(levels[0]!.sigma).toBeCloseTo(process.sigma(process.span.max), 10);
        if (end === 'clean') expect(levels[steps]).toEqual(CLEAN);
        else expect(levels[steps]!.sigma).toBeCloseTo(process.sigma(process.span.min), 10);
      }
    }
  });
});

test('uniform in lambda is uniform in lambda', () => {
  const lambdas = uniformLambda().levels(vpLinear(), { steps: 10, end: 'floor' }).map(lambdaOf);
  const stride = (lambdas[10]! - lambdas[0]!) / 10;
  lambdas.forEach((value, i) => expect(value).toBeCloseTo(lambdas[0]! + i * stride, 10));
});

test('karras works on any process with a finite range', () => {
  const levels = karras({ sigmaMin: 0.03, sigmaMax: 14 }).levels(vpLinear(), { steps: 4 });
  const sigmas = karrasSigmas({ steps: 4, sigmaMin: 0.03, sigmaMax: 14 });
  levels.forEach((level, i) => expect(relativeSigma(level)).toBeCloseTo(sigmas[i]!, 12));
  for (const { alpha, sigma } of levels) expect(alpha ** 2 + sigma ** 2).toBeCloseTo(1, 14);
});

test('what cannot be is refused with the reason', () => {
  expect(() => karrasSigmas({ steps: 0 })).toThrow('[core-schedules/karras] steps must be an integer in [1, 100000]: steps=0.');
  expect(() => karrasSigmas({ steps: 3, sigmaMin: 5, sigmaMax: 2 })).toThrow('sigmaMax must be a number in (5, Infinity): sigmaMax=2.');
  expect(() => karras().levels(flow(), { steps: 3 })).toThrow('sigmaMin (of process flow) must be a number in (0, Infinity)');
  expect(() => leading().levels(vpLinear(), { steps: 3 })).toThrow('[core-schedules/leading] the rule counts the steps of a chain: process=vp-linear has none.');
  expect(() => leading().levels(discreteVp(), { steps: 2000 })).toThrow('steps=2000, offset=0, chain of 1000.');
  expect(() => linspaceTimes().levels(discreteVp(), { steps: 1500 })).toThrow('two levels coincide');
  expect(() => linspaceTimes().levels(flow(), { steps: 3, end: 'zero' as never })).toThrow('unknown end: end="zero". Known: clean, floor.');
  expect(() => spacings.create('karas')).toThrow('[spacing] unknown spacing: "karas". Did you mean "karras"?');
  expect(() => sigmaLevel(-1)).toThrow('sigma=-1');
});

test('small helpers', () => {
  expect(snrOf({ alpha: 0.8, sigma: 0.4 })).toBeCloseTo(4, 12);
  expect(lambdaOf(CLEAN)).toBe(Infinity);
});
