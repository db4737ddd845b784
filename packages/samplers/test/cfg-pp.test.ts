import { CLEAN, combineDenoisers, defineDenoiser, type Denoiser, type NoiseSource, type Sampler } from '@langevin/core';
import { edm, flow, karras, linspaceTimes, vpLinear } from '@langevin/core-schedules';
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
  [dpmpp2m({ lowerOrderFinal: 'clean' }), dpmpp2mCfgPp({ slopes: 'guided' })],
  [dpmpp2sAncestral(), dpmpp2sAncestralCfgPp({ slopes: 'guided' })],
  [resMultistep(), resMultistepCfgPp()],
  [resMultistepAncestral({ eta: 0.7 }), resMultistepAncestralCfgPp({ eta: 0.7 })],
  [resMultistepAncestral({ eta: 0.7 }), resMultistepAncestralCfgPp({ eta: 0.7, slopes: 'guided' })],
  [gradientEstimation(), gradientEstimationCfgPp()],
];

// The whole kit where the wrapper meets a base of each kind: one step, memory, noise, evaluations inside the step.
describe('euler-cfg-pp', () => testSampler(eulerCfgPp(), { test, engines }));
describe('res-multistep-ancestral-cfg-pp', () => testSampler(resMultistepAncestralCfgPp(), { test, engines }));
describe('dpmpp-2s-ancestral-cfg-pp, guided slopes', () =>
  testSampler(dpmpp2sAncestralCfgPp({ slopes: 'guided' }), { test, nfe: (steps) => 2 * steps - 1 }));
describe('dpmpp-2s-ancestral-cfg-pp', () =>
  testSampler(dpmpp2sAncestralCfgPp(), {
    test,
    engines,
    nfe: (steps) => 2 * steps - 1,
    accuracy: { kind: 'formula', run: () => followsFormula(dpmpp2sAncestralCfgPp(), published2s({ eta: 1 })) },
  }));

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
  return combineDenoisers([conditional, unconditional], ([{ denoised: c }, { denoised: u }]) => ({
    denoised: c.map((value, i) => u[i]! + w * (value - u[i]!)),
    unconditional: u,
  }));
}

describe('CFG++', () => {
  test('with Euler is the published rule: to the guided prediction, with the noise of the unconditional one', async () => {
    const denoise = guidance(0.6);
    let x = starts.slice();
    for (let i = 0; i + 1 < onVp.length; i++) {
      const [from, to] = [onVp[i]!, onVp[i + 1]!];
      const { denoised, unconditional } = await denoise.detailed(x, from);
      x = x.map((value, k) => to.alpha * denoised[k]! + (to.sigma * (value - from.alpha * unconditional![k]!)) / from.sigma);
    }
    const here = await sample({ sampler: eulerCfgPp(), denoise, x: starts, levels: onVp });
    here.forEach((value, k) => expect(Math.abs(value - x[k]!)).toBeLessThan(1e-13));
  });

  test('with 2M and guided slopes is its exponential form with the noise of the unconditional prediction', async () => {
    // x' = alpha' (D + (1 - e^-h) / 2r (D - D_before)) + (sigma' / sigma) (x - alpha U)
    const denoise = guidance(2);
    const levels = onVp.slice(0, 12);
    let x = starts.slice();
    let before: { readonly lambda: number; readonly denoised: Float64Array } | undefined;
    for (let i = 0; i + 1 < levels.length; i++) {
      const [from, to] = [levels[i]!, levels[i + 1]!];
      const { denoised, unconditional } = await denoise.detailed(x, from);
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
    const here = await sample({ sampler: dpmpp2mCfgPp({ slopes: 'guided' }), denoise, x: starts, levels });
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

// The authors' formulas and ComfyUI's, transcribed over plain numbers in their own units: y = x / alpha, s = sigma / alpha, t = -log s.

/** What the transcriptions see: y and s to the guided prediction and the unconditional one, both curved and far apart. */
interface Seen {
  readonly d: number;
  readonly u: number;
}

const look = (y: number, s: number): Seen => {
  const u = Math.tanh(y / Math.hypot(1, s)) + 0.2 * Math.sin((3 * y) / (1 + s));
  const c = 1.3 * Math.tanh((y - 0.4) / Math.hypot(0.6, s));
  return { d: u + 3 * (c - u), u };
};

/** The same as a denoiser of states x = alpha y. */
const curved = defineDenoiser<Float64Array>({
  nfe: 2,
  detailed: (x, at) => {
    const { alpha, sigma } = [at].flat()[0]!;
    const seen = Array.from(x, (value) => look(value / alpha, sigma / alpha));
    return { denoised: Float64Array.from(seen, ({ d }) => d), unconditional: Float64Array.from(seen, ({ u }) => u) };
  },
});

/** Noise of step i, for the number k of the state. */
const drawn = (i: number, k: number): number => Math.sin(1 + 7 * i + 3 * k);
const recorded: NoiseSource = {
  name: 'recorded',
  draw: ({ algebra, like, step }) =>
    Promise.resolve(
      algebra.fromHost(
        Float64Array.from({ length: algebra.size(like) }, (_, k) => drawn(Number(step), k)),
        like,
      ),
    ),
};

/** Leads y over all sigmas; z(i) is the noise of step i. */
type Formula = (y: number, sigmas: readonly number[], z: (i: number) => number) => number;

/** k-diffusion's split of a step: how far down, and how much noise up. */
function split(s: number, next: number, eta: number): readonly [down: number, up: number] {
  const up = Math.min(next, eta * Math.sqrt((next ** 2 * (s ** 2 - next ** 2)) / s ** 2));
  return [Math.sqrt(next ** 2 - up ** 2), up];
}

const published2m: Formula = (y, sigmas) => {
  let before = Number.NaN;
  for (let i = 0; i + 1 < sigmas.length; i++) {
    const [s, next] = [sigmas[i]!, sigmas[i + 1]!];
    const { d, u } = look(y, s);
    const h = Math.log(s / next);
    if (i === 0 || next === 0) y = d + (next / s) * (y - u);
    else y = d + Math.exp(-h) * (y - u) + ((1 - Math.exp(-h)) * (d - before)) / ((2 * Math.log(sigmas[i - 1]! / s)) / h);
    before = u;
  }
  return y;
};

const published2s =
  ({ eta }: { readonly eta: number }): Formula =>
  (y, sigmas, z) => {
    for (let i = 0; i + 1 < sigmas.length; i++) {
      const [s, next] = [sigmas[i]!, sigmas[i + 1]!];
      const [down, up] = split(s, next, eta);
      const { d, u } = look(y, s);
      if (down === 0) y = d;
      else {
        const middle = Math.sqrt(s * down);
        const inside = (middle / s) * (y + d - u) + (1 - middle / s) * d;
        const second = look(inside, middle);
        y = (1 - down / s) * second.d + (down / s) * (y + d - second.u);
      }
      if (next > 0) y += up * z(i);
    }
    return y;
  };

const publishedRes =
  ({ eta }: { readonly eta: number }): Formula =>
  (y, sigmas, z) => {
    let before: { readonly u: number; readonly down: number } | undefined;
    for (let i = 0; i + 1 < sigmas.length; i++) {
      const [s, next] = [sigmas[i]!, sigmas[i + 1]!];
      const [down, up] = split(s, next, eta);
      const { d, u } = look(y, s);
      if (before === undefined || down === 0) y = d + (down / s) * (y - u);
      else {
        const h = Math.log(s / down);
        // Where the evaluation before lies, in units of the step: it was made at the sigma before, and led down to `before.down`.
        const c2 = (Math.log(1 / sigmas[i - 1]!) - Math.log(1 / before.down)) / h;
        const phi1 = (1 - Math.exp(-h)) / h;
        const phi2 = (phi1 - 1) / -h;
        const b2 = phi2 / c2;
        y = Math.exp(-h) * (y + d - u) + h * ((phi1 - b2) * u + b2 * before.u);
      }
      if (next > 0) y += up * z(i);
      before = { u, down };
    }
    return y;
  };

const publishedGradient: Formula = (y, sigmas) => {
  let before = 0;
  for (let i = 0; i + 1 < sigmas.length; i++) {
    const [s, next] = [sigmas[i]!, sigmas[i + 1]!];
    const { d, u } = look(y, s);
    const noise = (y - u) / s;
    y = d + noise * next;
    if (i > 0 && next > 0) y += (noise - before) * (next - s);
    before = noise;
  }
  return y;
};

const publishedEuler =
  ({ eta }: { readonly eta: number }): Formula =>
  (y, sigmas, z) => {
    for (let i = 0; i + 1 < sigmas.length; i++) {
      const [down, up] = split(sigmas[i]!, sigmas[i + 1]!, eta);
      const { d, u } = look(y, sigmas[i]!);
      y = d + (down / sigmas[i]!) * (y - u) + up * z(i);
    }
    return y;
  };

/** Whole runs, on grids of several kinds: to a clean end and to one with noise, in units of EDM and of a variance-preserving process. */
async function followsFormula(sampler: Sampler, formula: Formula): Promise<void> {
  const grids = [karras().levels(edm({ sigmaMax: 15 }), { steps: 9 }), onVp, onVp.slice(0, 9), onVp.slice(0, 3)];
  for (const levels of grids) {
    const [first, last] = [levels[0]!, levels.at(-1)!];
    const x = starts.map((value) => value * first.sigma);
    const end = await sample({ sampler, denoise: curved, x, levels, noise: recorded });
    const sigmas = levels.map(({ alpha, sigma }) => sigma / alpha);
    end.forEach((value, k) => {
      const wanted = last.alpha * formula(x[k]! / first.alpha, sigmas, (i) => drawn(i, k));
      const gap = Math.abs(value - wanted);
      if (!(gap < 1e-11 * Math.max(1, Math.abs(wanted)))) throw new Error(`${value} is ${gap} off the formula's ${wanted}`);
    });
  }
}

describe('whole runs follow the published formulas', () => {
  test.each([
    ['2M', dpmpp2mCfgPp(), published2m],
    ['2S ancestral', dpmpp2sAncestralCfgPp(), published2s({ eta: 1 })],
    ['2S ancestral, eta 0.4', dpmpp2sAncestralCfgPp({ eta: 0.4 }), published2s({ eta: 0.4 })],
    ['2S ancestral, eta 0', dpmpp2sAncestralCfgPp({ eta: 0 }), published2s({ eta: 0 })],
    ['RES multistep', resMultistepCfgPp(), publishedRes({ eta: 0 })],
    ['RES multistep ancestral', resMultistepAncestralCfgPp(), publishedRes({ eta: 1 })],
    ['RES multistep ancestral, eta 0.4', resMultistepAncestralCfgPp({ eta: 0.4 }), publishedRes({ eta: 0.4 })],
    ['gradient estimation', gradientEstimationCfgPp(), publishedGradient],
    ['Euler', eulerCfgPp(), publishedEuler({ eta: 0 })],
    ['Euler ancestral', eulerAncestralCfgPp(), publishedEuler({ eta: 1 })],
  ] as const)('%s', (_, sampler, formula) => followsFormula(sampler, formula));

  test('and slopes of guided predictions are another thing, by name', async () => {
    for (const [here, formula] of [
      [dpmpp2mCfgPp({ slopes: 'guided' }), published2m],
      [dpmpp2sAncestralCfgPp({ slopes: 'guided' }), published2s({ eta: 1 })],
      [resMultistepCfgPp({ slopes: 'guided' }), publishedRes({ eta: 0 })],
    ] as const)
      await expect(followsFormula(here, formula)).rejects.toThrow('off the formula');
    expect(() => dpmpp2mCfgPp({ slopes: 'none' as never })).toThrow('[samplers/dpmpp-2m-cfg-pp] unknown slopes: slopes="none".');
  });
});
