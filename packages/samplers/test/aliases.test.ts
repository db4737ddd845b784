import { defineDenoiser, CLEAN, defineSampler, type NoiseLevel, type NoiseSource, type Sampler } from '@langevin/core';
import { edm, flow, karras, linspaceTimes, vpLinear } from '@langevin/core-schedules';
import {
  a1111Samplers,
  a1111Spacings,
  comfyuiSamplers,
  comfyuiSpacings,
  resolveSampler,
  resolveSpacing,
  type SamplerAlias,
} from '@langevin/samplers/compat';
import { imageNoise, sample, samplers, trajectory } from '@langevin/samplers';
import { describe, expect, test } from 'vitest';

describe('names of other programs', () => {
  test('ComfyUI has 42 samplers and 9 schedulers, and each is here', () => {
    expect(Object.keys(comfyuiSamplers)).toHaveLength(42);
    expect(Object.keys(comfyuiSpacings)).toHaveLength(9);
    for (const [name, { sampler }] of Object.entries(comfyuiSamplers)) expect(resolveSampler(name).sampler.name, name).toBe(sampler);
    for (const name of Object.keys(comfyuiSpacings)) expect(resolveSpacing(name).levels(flow(), { steps: 5 }), name).toHaveLength(6);
  });

  test('every label of AUTOMATIC1111 is here, with every schedule behind it or none', () => {
    for (const [label, { sampler }] of Object.entries(a1111Samplers)) {
      expect(resolveSampler(label).sampler.name, label).toBe(sampler);
      expect(resolveSampler(label).spacing).toBeUndefined();
      for (const ending of Object.keys(a1111Spacings)) {
        const resolved = resolveSampler(`${label} ${ending}`);
        expect(resolved.sampler.name, `${label} ${ending}`).toBe(sampler);
        expect(resolved.spacing, `${label} ${ending}`).toBeDefined();
      }
    }
  });

  test('capitals do not matter, and own names stay what they are', () => {
    expect(resolveSampler('dpm++ 2m karras').sampler.name).toBe('dpmpp-2m');
    for (const name of samplers.names) expect(resolveSampler(name).sampler.name).toBe(samplers.create(name).name);
    expect(resolveSampler('ddim', { options: { eta: 1 } }).sampler.stochastic).toBe(true);
    const mine = () => defineSampler({ ...samplers.create('euler'), name: 'mine' });
    expect(resolveSampler('mine', { samplers: samplers.with({ mine }) }).sampler.name).toBe('mine');
  });

  test('options of a name make of it what it is there, and notes say what is not', () => {
    // sample_deis of ComfyUI has max_order=3: three evaluations, the polynomial is of degree 2.
    expect(samplers.create('deis', comfyuiSamplers.deis.options).order).toBe(3);
    // Order 3 and its corrector: A1111's default, and ComfyUI's of both names.
    for (const name of ['UniPC', 'uni_pc', 'uni_pc_bh2']) expect(resolveSampler(name).sampler.order, name).toBe(4);
    for (const [name, { sampler, options }] of Object.entries<SamplerAlias>(comfyuiSamplers))
      expect(samplers.create(sampler, options).name, name).toBe(sampler);
    for (const name of ['sa_solver', 'dpm_adaptive', 'uni_pc', 'DPM fast']) expect(resolveSampler(name).note, name).toMatch(/^There /u);
    // What the user asks for goes before what the program does.
    expect(resolveSampler('dpmpp_3m_sde', { options: { eta: 0 } }).sampler.order).toBe(2);
    expect(resolveSampler('dpmpp_3m_sde', { options: { eta: 0, weights: 'exact' } }).sampler.order).toBe(3);
  });

  test('some programs leave out the last level but one', () => {
    const options = { steps: 5 };
    const plain = karras().levels(edm(), { steps: 6 });
    expect(resolveSampler('dpm_2').levels(karras(), edm(), options)).toEqual([...plain.slice(0, 5), plain[6]]);
    expect(resolveSampler('euler').levels(karras(), edm(), options)).toEqual(karras().levels(edm(), options));
  });

  test('a name that is close is suggested', () => {
    expect(() => resolveSampler('dpmpp_2n')).toThrow('[samplers/names] unknown sampler: "dpmpp_2n". Did you mean "dpmpp_2m"?');
    expect(() => resolveSpacing('karas')).toThrow('[samplers/names] unknown spacing: "karas". Did you mean "karras"?');
  });
});

/** Runs a name of ComfyUI over levels, one number a state, with the noise that ends in `draws`. */
async function run(name: string, levels: readonly NoiseLevel[], program?: 'comfyui' | 'langevin'): Promise<number> {
  const { sampler } = resolveSampler(name, program === undefined ? {} : { program });
  const noise: NoiseSource = {
    name: 'recorded',
    draw: ({ algebra, like, step }) => Promise.resolve(algebra.fromHost(Float64Array.of(Math.sin(1 + Number(step))), like)),
  };
  const end = await sample({ sampler, denoise: tanh, x: Float64Array.of(3 * levels[0]!.sigma), levels, noise });
  return end[0]!;
}

/** The prediction of y = x / alpha at s = sigma / alpha, curved in both. */
const curve = (y: number, s: number): number => Math.tanh(y / Math.hypot(1, s)) + 0.1 * Math.sin(y / (1 + s));
const tanh = defineDenoiser<Float64Array>({
  nfe: 1,
  denoise: (x, at) => {
    const { alpha, sigma } = [at].flat()[0]!;
    return Promise.resolve(x.map((value) => curve(value / alpha, sigma / alpha)));
  },
});

describe('names of ComfyUI are what they are there', () => {
  const levels = karras().levels(edm({ sigmaMax: 15 }), { steps: 8 });
  const sigmas = levels.map(({ sigma }) => sigma);

  /** Adams-Bashforth over the sigmas, with weights for the evaluations of up to four steps, the latest first. */
  const adams = (weights: (count: number, i: number) => readonly number[]): number => {
    let y = 3 * sigmas[0]!;
    const slopes: number[] = [];
    for (let i = 0; i + 1 < sigmas.length; i++) {
      const d = curve(y, sigmas[i]!);
      slopes.unshift((y - d) / sigmas[i]!);
      if (sigmas[i + 1] === 0) return d;
      const used = slopes.slice(0, 4);
      y += weights(used.length, i).reduce((sum, weight, k) => sum + weight * used[k]!, 0);
    }
    return y;
  };

  test('lms, whose last step is the prediction', async () => {
    // The integral of each Lagrange polynomial over the step, by Gauss and Legendre: exact for cubics with two points.
    const wanted = adams((count, i) => {
      const nodes = sigmas.slice(i + 1 - count, i + 1).reverse();
      const [from, to] = [sigmas[i]!, sigmas[i + 1]!];
      return nodes.map((node, k) => {
        const basis = (s: number): number =>
          nodes.reduce((product, other, m) => (m === k ? product : (product * (s - other)) / (node - other)), 1);
        const [middle, half] = [(from + to) / 2, (to - from) / 2];
        return half * (basis(middle - half / Math.sqrt(3)) + basis(middle + half / Math.sqrt(3)));
      });
    });
    expect(Math.abs((await run('lms', levels)) - wanted)).toBeLessThan(1e-11);
    expect(Math.abs((await run('lms', levels, 'langevin')) - wanted)).toBeGreaterThan(1e-3);
  });

  test('ipndm, whose last step is the prediction', async () => {
    const even = [[1], [3 / 2, -1 / 2], [23 / 12, -16 / 12, 5 / 12], [55 / 24, -59 / 24, 37 / 24, -9 / 24]];
    const wanted = adams((count, i) => even[count - 1]!.map((weight) => weight * (sigmas[i + 1]! - sigmas[i]!)));
    expect(Math.abs((await run('ipndm', levels)) - wanted)).toBeLessThan(1e-11);
    expect(Math.abs((await run('ipndm', levels, 'langevin')) - wanted)).toBeGreaterThan(1e-3);
  });

  test('ipndm_v, whose last step is the prediction, with the published weights', async () => {
    const before = (await stepsOf(samplers.create('ipndm-v', { weights: 'reference' }), levels)).at(-2)!;
    expect(await run('ipndm_v', levels)).toBe(curve(before, sigmas.at(-2)!));
  });

  test('dpmpp_2m keeps its order in the last step of a run that ends with noise', async () => {
    const cut = levels.slice(0, 6);
    let [y, before] = [3 * cut[0]!.sigma, Number.NaN];
    for (let i = 0; i < 5; i++) {
      const [s, next] = [sigmas[i]!, sigmas[i + 1]!];
      const d = curve(y, s);
      const h = Math.log(s / next);
      const slope = i === 0 ? 0 : ((d - before) * h) / (2 * Math.log(sigmas[i - 1]! / s));
      y = (next / s) * y - Math.expm1(-h) * (d + slope);
      before = d;
    }
    expect(Math.abs((await run('dpmpp_2m', cut)) - y)).toBeLessThan(1e-11);
  });

  test('euler_ancestral renoises in the rectified-flow form on a flow, and by the posterior elsewhere', async () => {
    const times = [1, 0.8, 0.55, 0.2, 0];
    let x = 3;
    for (let i = 0; i + 1 < times.length; i++) {
      const [t, next] = [times[i]!, times[i + 1]!];
      const d = i === 0 ? curve0(x) : curve(x / (1 - t), t / (1 - t));
      const down = next * (1 + (next / t - 1));
      x = (down / t) * x + (1 - down / t) * d;
      if (next === 0) continue;
      const kept = (1 - next) / (1 - down);
      x = kept * x + Math.sqrt(next ** 2 - (down * kept) ** 2) * Math.sin(1 + i);
    }
    const onFlow = times.map(flow().level);
    const denoise = defineDenoiser<Float64Array>({
      nfe: 1,
      denoise: (y, at) => ([at].flat()[0]!.alpha === 0 ? Promise.resolve(y.map(curve0)) : tanh(y, at)),
    });
    const noise: NoiseSource = {
      name: 'recorded',
      draw: ({ algebra, like, step }) => Promise.resolve(algebra.fromHost(Float64Array.of(Math.sin(1 + Number(step))), like)),
    };
    const { sampler } = resolveSampler('euler_ancestral');
    const end = await sample({ sampler, denoise, x: Float64Array.of(3), levels: onFlow, noise });
    expect(Math.abs(end[0]! - x)).toBeLessThan(1e-12);
    const elsewhere = [...linspaceTimes().levels(vpLinear(), { steps: 6, end: 'floor' }), CLEAN];
    const posterior = await sample({
      sampler: samplers.create('euler-ancestral'),
      denoise: tanh,
      x: Float64Array.of(3 * elsewhere[0]!.sigma),
      levels: elsewhere,
      noise,
    });
    expect(await run('euler_ancestral', elsewhere)).toBe(posterior[0]);
  });

  test('sa_solver reads tau at the level that a step leads to, and its orders fall a step earlier', async () => {
    const asked: number[] = [];
    const tau = ({ sigma }: NoiseLevel): number => (asked.push(sigma), sigma > 1 ? 0 : 1);
    const { sampler } = resolveSampler('sa_solver', { options: { tau } });
    const noise = imageNoise({ seed: 1 });
    await sample({ sampler, denoise: tanh, x: Float64Array.of(20), levels, noise });
    expect(asked).not.toContain(sigmas[0]);
    expect(asked).toContain(sigmas[1]);
    // Without noise and corrector it is the exponential Adams method, whose last step but one is DDIM's: then comes the prediction.
    const quiet = resolveSampler('sa_solver', { options: { tau: 0, correctorOrder: 0 } }).sampler;
    const states = await stepsOf(quiet, levels);
    const [s, next] = [sigmas.at(-3)!, sigmas.at(-2)!];
    const d = curve(states.at(-3)!, s);
    expect(Math.abs(states.at(-2)! - (d + (next / s) * (states.at(-3)! - d)))).toBeLessThan(1e-12);
    const plain = await stepsOf(samplers.create('sa-solver', { tau: 0, correctorOrder: 0 }), levels);
    expect(Math.abs(plain.at(-2)! - states.at(-2)!)).toBeGreaterThan(1e-4);
    // With one more level of noise behind them orders do not fall at all.
    expect(await run('sa_solver', levels.slice(0, 5))).not.toBeNaN();
  });
});

/** The prediction at pure noise. */
const curve0 = (x: number): number => 0.3 * x;

/** The states of a run without noise, the first among them. */
async function stepsOf(sampler: Sampler, levels: readonly NoiseLevel[]): Promise<readonly number[]> {
  const states = [3 * levels[0]!.sigma];
  for await (const { x } of trajectory({ sampler, denoise: tanh, x: Float64Array.of(states[0]!), levels })) states.push(x[0]!);
  return states;
}

test('what is no name is refused', () => {
  for (const wrong of [null, undefined, 3, {}, ['heun']] as never[]) {
    expect(() => resolveSampler(wrong)).toThrow('[samplers/names] the name of a sampler is text: name=');
    expect(() => resolveSpacing(wrong)).toThrow('[samplers/names] the name of a spacing is text: name=');
  }
  for (const wrong of [null, 3, 'x', []] as never[]) {
    expect(() => resolveSampler('heun', wrong)).toThrow('[samplers/names] options are an object: options=');
    expect(() => resolveSampler('heun', { options: wrong })).toThrow('[samplers/names] options are an object: options=');
  }
  expect(() => resolveSampler('heun', { program: 'forge' as never })).toThrow(
    'unknown program: program="forge". Known: comfyui, a1111, langevin.',
  );
  for (const resolve of [resolveSampler, resolveSpacing]) {
    let message = '';
    try {
      resolve('x'.repeat(1_000_000));
    } catch (error) {
      ({ message } = error as Error);
    }
    expect(message.length).toBeGreaterThan(10);
    expect(message.length).toBeLessThan(2000);
  }
});
