import { CLEAN, type NoiseLevel, type Sampler } from '@langevin/core';
import { arrayAlgebra, flow, linspaceTimes, vpLinear } from '@langevin/core-schedules';
import { threeModes } from '@langevin/core-schedules/testing';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { tfjsEngine } from '@langevin/engine-tfjs';
import {
  ddim,
  ddpm,
  dpm2,
  dpm2Ancestral,
  dpmpp2mSde,
  dpmpp2s,
  dpmpp2sAncestral,
  euler,
  eulerAncestral,
  imageNoise,
  resMultistep,
  resMultistepAncestral,
  sample,
} from '@langevin/samplers';
import { testSampler } from '@langevin/samplers/testing';
import { describe, expect, test, vi } from 'vitest';

// Generous: a machine may be busy with other suites.
vi.setConfig({ testTimeout: 60_000 });

const engines = [await onnxruntimeEngine({ device: 'cpu', threads: 1 }), await tfjsEngine({ backend: 'cpu' })];
const modes = threeModes().denoiser<Float64Array>();
const starts = Float64Array.of(-2, -0.4, 0.3, 1.7);
const noise = imageNoise({ seed: 5 });
const onVp = [...linspaceTimes().levels(vpLinear(), { steps: 12, end: 'floor' }), CLEAN];
const onFlow = [1, 0.9, 0.7, 0.4, 0.15, 0].map(flow().level);

const gapOf = async (a: Sampler, b: Sampler, levels: readonly NoiseLevel[] = onVp) => {
  const [p, q] = [
    await sample({ sampler: a, denoise: modes, x: starts, levels, noise }),
    await sample({ sampler: b, denoise: modes, x: starts, levels, noise }),
  ];
  return Math.max(...p.map((value, i) => Math.abs(value - q[i]!)));
};

describe('euler with churn', () => testSampler(euler({ sChurn: 40, sTMin: 0.05, sTMax: 50 }), { test, engines }));
describe('euler-ancestral', () => testSampler(eulerAncestral(), { test, engines }));
describe('euler-ancestral, eta 0.5', () => testSampler(eulerAncestral({ eta: 0.5 }), { test, engines }));
describe('euler-ancestral, flow form', () => testSampler(eulerAncestral({ form: 'flow' }), { test, engines }));

describe('dpm-2-ancestral', () => testSampler(dpm2Ancestral(), { test, engines, nfe: (steps) => 2 * steps - 1 }));
describe('dpmpp-2s-ancestral', () => testSampler(dpmpp2sAncestral(), { test, engines, nfe: (steps) => 2 * steps - 1 }));
describe('dpmpp-2s-ancestral, flow form', () =>
  testSampler(dpmpp2sAncestral({ form: 'flow', eta: 0.6 }), { test, nfe: (steps) => 2 * steps - 1 }));
describe('res-multistep-ancestral', () => testSampler(resMultistepAncestral(), { test, engines }));

describe('ancestral samplers', () => {
  test('without noise are their bases, to the last bit', async () => {
    expect(await gapOf(dpm2Ancestral({ eta: 0 }), dpm2())).toBe(0);
    expect(await gapOf(dpmpp2sAncestral({ eta: 0, r: 0.4 }), dpmpp2s({ r: 0.4 }))).toBe(0);
    expect(await gapOf(resMultistepAncestral({ eta: 0 }), resMultistep())).toBe(0);
    expect(await gapOf(dpmpp2sAncestral({ eta: 0 }), dpmpp2s(), onFlow)).toBe(0);
  });

  test('RES multistep at eta 1 is the exactly weighed 2M SDE', async () => {
    for (const levels of [onVp, onFlow])
      expect(await gapOf(resMultistepAncestral(), dpmpp2mSde({ solverType: 'heun' }), levels)).toBeLessThan(1e-12);
  });
});

describe('Euler ancestral', () => {
  test('without noise is Euler', async () => {
    for (const levels of [onVp, onFlow]) expect(await gapOf(eulerAncestral({ eta: 0 }), euler(), levels)).toBe(0);
  });

  test('is DDIM with its eta, and DDPM at 1, also from pure noise of a flow', async () => {
    for (const levels of [onVp, onFlow]) {
      for (const eta of [0.3, 1]) expect(await gapOf(eulerAncestral({ eta }), ddim({ eta }), levels)).toBeLessThan(1e-13);
      expect(await gapOf(eulerAncestral(), ddpm(), levels)).toBeLessThan(1e-13);
    }
  });

  test('in the flow form is the published rectified-flow rule', async () => {
    // sigma_down = q (1 + (q / s - 1) eta); Euler to it in t; then x (1 - q) / (1 - sigma_down) + z sqrt(q^2 - sigma_down^2 (1 - q)^2 / (1
    // - sigma_down)^2).
    for (const eta of [0.4, 1]) {
      let x = starts.slice();
      for (let i = 0; i + 1 < onFlow.length; i++) {
        const [s, q] = [onFlow[i]!.sigma, onFlow[i + 1]!.sigma];
        const denoised = await modes(x, onFlow[i]!);
        const down = q * (1 + (q / s - 1) * eta);
        const moved = x.map((value, k) => (down / s) * value + (1 - down / s) * denoised[k]!);
        const scale = (1 - q) / (1 - down);
        const z = await noise.draw({ algebra: arrayAlgebra(), like: x, step: i, draw: 0 });
        x = q === 0 ? moved : moved.map((value, k) => scale * value + Math.sqrt(q ** 2 - (down * scale) ** 2) * z[k]!);
      }
      const here = await sample({ sampler: eulerAncestral({ eta, form: 'flow' }), denoise: modes, x: starts, levels: onFlow, noise });
      here.forEach((value, k) => expect(Math.abs(value - x[k]!)).toBeLessThan(1e-12));
    }
  });

  test('says which option is wrong', () => {
    expect(() => eulerAncestral({ eta: -1 })).toThrow('[samplers/euler-ancestral] eta is out of range: eta=-1. Pass a number >= 0.');
    expect(() => eulerAncestral({ sNoise: 0 })).toThrow('sNoise=0');
    expect(() => eulerAncestral({ form: 'rf' as 'flow' })).toThrow('unknown form: form="rf". Known: posterior, flow, by-process.');
    expect(() => euler({ sTMin: 2, sTMax: 1 })).toThrow('[samplers/euler] sTMax is out of range: sTMax=1. Pass a number >= sTMin.');
  });
});
