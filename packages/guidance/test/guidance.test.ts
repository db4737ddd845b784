import { defineConditionalDenoiser, sigmaLevel } from '@langevin/core';
import { arrayAlgebra } from '@langevin/core-schedules';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { cfg, composed, defineGuidance, dynamicThreshold, guidanceRules, rescaled, staticThreshold } from '@langevin/guidance';
import { testGuidance } from '@langevin/guidance/testing';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

const engines = [await onnxruntimeEngine({ device: 'cpu', threads: 1 })];

describe('cfg', () => testGuidance(cfg(), { test, engines }));
describe('cfg, in an interval', () => testGuidance(cfg({ scale: 4, sigmaMin: 0.2, sigmaMax: 2 }), { test, engines }));
describe('cfg, rescaled', () => testGuidance(cfg({ scale: 4, rescale: 0.7 }), { test, engines }));
describe('cfg, rescaled over epsilon', () => testGuidance(cfg({ scale: 4, rescale: { phi: 0.7, of: 'epsilon' } }), { test, engines }));
describe('composed', () => testGuidance(composed({ weights: [2, -0.5, 1] }), { test, engines, conditions: 3 }));
describe('composed over a flat prior', () =>
  testGuidance(composed({ weights: [0.5, 0.5], prior: 'flat' }), { test, engines, conditions: 2 }));
describe('static threshold', () => testGuidance(staticThreshold({ of: cfg({ scale: 4 }) }), { test, engines }));
describe('dynamic threshold', () => testGuidance(dynamicThreshold({ ratio: 0.8, of: cfg({ scale: 4 }) }), { test, engines }));

interface Whole {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}
const golden = JSON.parse(readFileSync(new URL('golden/guidance.json', import.meta.url), 'utf8')) as {
  readonly rescale: readonly {
    readonly scale: number;
    readonly phi: number;
    readonly cond: Whole;
    readonly uncond: Whole;
    readonly guided: Whole;
    readonly rescaled: Whole;
  }[];
  readonly threshold: readonly { readonly ratio: number; readonly most: number; readonly sample: Whole; readonly limited: Whole }[];
};
const told = defineConditionalDenoiser<Float64Array, Float64Array>({ nfe: 1, denoise: (_x, _at, condition) => condition });
const values = ({ values: list }: Whole): Float64Array => Float64Array.from(list);

/** Within 2^-20 of the greatest magnitude. */
function expectNear(ours: Float64Array, theirs: Whole): void {
  const most = Math.max(...theirs.values.map(Math.abs));
  const gap = Math.max(...ours.map((value, i) => Math.abs(value - theirs.values[i]!)));
  expect(gap).toBeLessThan(most * 2 ** -20);
}

describe('diffusers', () => {
  test.each(golden.rescale)('guides by $scale and rescales by $phi', async ({ scale, phi, cond, uncond, guided, rescaled: theirs }) => {
    const algebra = arrayAlgebra({ items: cond.shape[0]! });
    const input = { denoiser: told, algebra, conditions: [values(cond)], none: values(uncond) };
    const [x, at] = [values(cond), sigmaLevel(1)];
    expectNear(await cfg({ scale }).guide(input)(x, at), guided);
    expectNear(await cfg({ scale, rescale: phi }).guide(input)(x, at), theirs);
  });

  test.each(golden.threshold)('thresholds at $ratio and at most $most', async ({ ratio, most, sample, limited }) => {
    const algebra = arrayAlgebra({ items: sample.shape[0]! });
    const x = values(sample);
    const guided = dynamicThreshold({ ratio, most }).guide({ denoiser: told, algebra, conditions: [x] });
    expectNear(await guided(x, sigmaLevel(1)), limited);
  });
});

describe('thresholds', () => {
  test('come after guidance, whichever is guided', async () => {
    const input = { denoiser: told, algebra: arrayAlgebra(), conditions: [Float64Array.of(0.9, -0.2)], none: Float64Array.of(0.3, 0) };
    const x = Float64Array.of(0, 0);
    // 0.3 + 3 * 0.6 = 2.1 and -0.6: limited after, not before.
    expect(await staticThreshold({ of: cfg({ scale: 3 }) }).guide(input)(x, sigmaLevel(1))).toEqual(
      Float64Array.of(1, -0.6000000000000001),
    );
    const dynamic = dynamicThreshold({ ratio: 1, of: cfg({ scale: 3 }) }).guide(input);
    const [first, second] = await dynamic(x, sigmaLevel(1));
    expect([first, second]).toEqual([expect.closeTo(1, 12), expect.closeTo(-0.6 / 2.1, 12)]);
    expect(dynamic.nfe(sigmaLevel(1))).toBe(2);
  });

  test('keep great scales from saturating', async () => {
    const wild = Float64Array.from({ length: 200 }, (_, i) => Math.sin(3 * i));
    const input = { denoiser: told, algebra: arrayAlgebra(), conditions: [wild], none: new Float64Array(200) };
    const saturated = (all: Float64Array): number => all.filter((value) => Math.abs(value) >= 1 - 1e-12).length;
    const [hard, soft] = [staticThreshold({ of: cfg({ scale: 10 }) }), dynamicThreshold({ of: cfg({ scale: 10 }) })];
    expect(saturated(await hard.guide(input)(wild, sigmaLevel(1)))).toBeGreaterThan(150);
    expect(saturated(await soft.guide(input)(wild, sigmaLevel(1)))).toBeLessThanOrEqual(2);
  });

  test('refuse what is none', () => {
    expect(() => staticThreshold({ range: 0 })).toThrow('[guidance/static-threshold] range is out of range: range=0.');
    expect(() => dynamicThreshold({ ratio: 1.1 })).toThrow('ratio=1.1');
    expect(() => dynamicThreshold({ of: {} as never })).toThrow('[guidance/dynamic-threshold] this is no guidance');
  });
});

describe('rescale', () => {
  const algebra = arrayAlgebra({ items: 2 });
  const conditional = Float64Array.of(1, 3, -2, 6);
  const guided = Float64Array.of(0, 10, 5, 5);
  const asked = { x: conditional, at: sigmaLevel(1) };

  test('gives each item the deviation of its condition, and leaves what does not vary', async () => {
    const out = await rescaled(algebra, { guided, conditional }, { ...asked, phi: 1 });
    expect([...out]).toEqual([0, expect.closeTo(2, 12), 5, 5]);
  });
});

test('the registry makes each rule by name', () => {
  expect(guidanceRules.names).toEqual(['cfg', 'composed', 'dynamic-threshold', 'static-threshold']);
  for (const name of guidanceRules.names) expect(guidanceRules.create(name).name).toBe(name);
  expect(() => guidanceRules.create('cfg', { strength: 3 })).toThrow('[guidance/cfg] unknown option: "strength"');
  expect(() => defineGuidance({ name: '', summary: 's', source: 's', guide: () => undefined as never })).toThrow('[guidance/define]');
  const broken = defineGuidance({ name: 'broken', summary: 's', source: 's', guide: () => ((x: unknown) => x) as never });
  expect(() => broken.guide({ denoiser: told, algebra: arrayAlgebra(), conditions: [new Float64Array(1)] })).toThrow(
    '[guidance/broken] this is no denoiser',
  );
});
