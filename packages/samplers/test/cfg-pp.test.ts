import { CLEAN, edm, flow, karras, linspaceTimes, vpLinear, type Denoiser, type NoiseLevel } from '@langevin/core-schedules';
import { gaussian, threeModes } from '@langevin/core-schedules/testing';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import {
  dpmpp2m,
  dpmpp2mCfgPp,
  dpmpp2sAncestral,
  dpmpp2sAncestralCfgPp,
  euler,
  eulerAncestral,
  eulerAncestralCfgPp,
  eulerCfgPp,
  gradientEstimation,
  gradientEstimationCfgPp,
  imageNoise,
  resMultistep,
  resMultistepAncestral,
  resMultistepAncestralCfgPp,
  resMultistepCfgPp,
  sample,
  type Sampler,
} from '@langevin/samplers';
import { testSampler, withParts } from '@langevin/samplers/testing';
import { describe, expect, test, vi } from 'vitest';

// Generous: a machine may be busy with other suites.
vi.setConfig({ testTimeout: 60_000 });

const engines = [await onnxruntimeEngine({ device: 'cpu', threads: 1 })];

const PAIRS: readonly (readonly [plain: Sampler, guided: Sampler])[] = [
  [euler(), eulerCfgPp()],
  [eulerAncestral(), eulerAncestralCfgPp()],
  [eulerAncestral({ eta: 0.5, form: 'flow' }), eulerAncestralCfgPp({ eta: 0.5, form: 'flow' })],
  [dpmpp2m(), dpmpp2mCfgPp()],
  [dpmpp2sAncestral(), dpmpp2sAncestralCfgPp()],
  [resMultistep(), resMultistepCfgPp()],
  [resMultistepAncestral({ eta: 0.7 }), resMultistepAncestralCfgPp({ eta: 0.7 })],
  [gradientEstimation(), gradientEstimationCfgPp()],
];

// The whole kit where the wrapper meets a base of each kind: one step, memory, noise, evaluations inside the step.
describe('euler-cfg-pp', () => testSampler(eulerCfgPp(), { test, engines }));
describe('res-multistep-ancestral-cfg-pp', () => testSampler(resMultistepAncestralCfgPp(), { test, engines }));
describe('dpmpp-2s-ancestral-cfg-pp', () => testSampler(dpmpp2sAncestralCfgPp(), { test, nfe: (steps) => 2 * steps - 1 }));

const modes = threeModes().denoiser<Float64Array>();
const starts = Float64Array.of(-2, -0.4, 0.3, 1.7);
const noise = imageNoise({ seed: 5 });
const onVp = [...linspaceTimes().levels(vpLinear(), { steps: 12, end: 'floor' }), CLEAN];
const onFlow = [1, 0.9, 0.7, 0.4, 0.15, 0].map(flow().level);

describe.each(PAIRS.map(([plain, guided]) => [guided.name, plain, guided] as const))('%s', (_, plain, guided) => {
  test('is its plain form, to the last bit, where the unconditional prediction is the guided one', async () => {
    for (const levels of [onVp, onFlow, karras().levels(edm(), { steps: 7 })]) {
      const x = starts.map((value) => value * levels[0]!.sigma);
      const there = await sample({ sampler: plain, denoise: modes, x, levels, noise });
      expect(await sample({ sampler: guided, denoise: withParts(modes), x, levels, noise })).toEqual(there);
    }
  });

  test('says what it needs', async () => {
    await expect(sample({ sampler: guided, denoise: modes, x: starts, levels: onVp, noise })).rejects.toThrow(
      `[samplers/${guided.name}] the sampler needs the unconditional part of each evaluation`,
    );
  });
});

/** Two Gaussians, and what guidance of weight w makes of their predictions. */
function guidance(w: number): Denoiser<Float64Array> {
  const [conditional, unconditional] = [
    gaussian({ mean: [1], std: 0.5 }).denoiser<Float64Array>(),
    gaussian({ mean: [0], std: 1 }).denoiser<Float64Array>(),
  ];
  const detailed = async (x: Float64Array, at: NoiseLevel | readonly NoiseLevel[]) => {
    const [c, u] = [await conditional(x, at), await unconditional(x, at)];
    return { denoised: c.map((value, i) => u[i]! + w * (value - u[i]!)), unconditional: u };
  };
  return Object.assign(async (x: Float64Array, at: NoiseLevel | readonly NoiseLevel[]) => (await detailed(x, at)).denoised, { detailed });
}

describe('CFG++', () => {
  test('with Euler is the published rule: to the guided prediction, with the noise of the unconditional one', async () => {
    const denoise = guidance(0.6);
    let x = starts.slice();
    for (let i = 0; i + 1 < onVp.length; i++) {
      const [from, to] = [onVp[i]!, onVp[i + 1]!];
      const { denoised, unconditional } = await denoise.detailed!(x, from);
      x = x.map((value, k) => to.alpha * denoised[k]! + (to.sigma * (value - from.alpha * unconditional![k]!)) / from.sigma);
    }
    const here = await sample({ sampler: eulerCfgPp(), denoise, x: starts, levels: onVp });
    here.forEach((value, k) => expect(Math.abs(value - x[k]!)).toBeLessThan(1e-13));
  });

  test('with 2M is its exponential form with the noise of the unconditional prediction', async () => {
    // x' = alpha' (D + (1 - e^-h) / 2r (D - D_before)) + (sigma' / sigma) (x - alpha U)
    const denoise = guidance(2);
    const levels = onVp.slice(0, 12);
    let x = starts.slice();
    let before: { readonly lambda: number; readonly denoised: Float64Array } | undefined;
    for (let i = 0; i + 1 < levels.length; i++) {
      const [from, to] = [levels[i]!, levels[i + 1]!];
      const { denoised, unconditional } = await denoise.detailed!(x, from);
      const lambda = Math.log(from.alpha / from.sigma);
      const h = Math.log(to.alpha / to.sigma) - lambda;
      const slope = denoised.map((value, k) =>
        before === undefined ? 0 : ((value - before.denoised[k]!) * h) / (2 * (lambda - before.lambda)),
      );
      x = x.map(
        (value, k) =>
          to.alpha * (denoised[k]! - Math.expm1(-h) * slope[k]!) + (to.sigma / from.sigma) * (value - from.alpha * unconditional![k]!),
      );
      before = { lambda, denoised };
    }
    const here = await sample({ sampler: dpmpp2mCfgPp({ lowerOrderFinal: 'clean' }), denoise, x: starts, levels });
    here.forEach((value, k) => expect(Math.abs(value - x[k]!)).toBeLessThan(1e-12));
  });

  test('differs from plain guidance', async () => {
    const denoise = guidance(2);
    const [plain, plus] = [
      await sample({ sampler: euler(), denoise, x: starts, levels: onVp }),
      await sample({ sampler: eulerCfgPp(), denoise, x: starts, levels: onVp }),
    ];
    expect(Math.abs(plain[0]! - plus[0]!)).toBeGreaterThan(0.01);
  });
});
