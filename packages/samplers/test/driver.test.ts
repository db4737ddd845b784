import { arrayAlgebra, CLEAN, edm, karras, karrasSigmas, type Denoiser } from '@langevin/core-schedules';
import { threeModes } from '@langevin/core-schedules/testing';
import { ddim, ddpm, euler, heun, imageNoise, sample, samplers, sigmaLevels, startState, torchNoise, trajectory, defineSampler } from '@langevin/samplers';
import { tensor, torchGenerator } from '@langevin/tensor';
import { describe, expect, test } from 'vitest';

const denoise = threeModes().denoiser<Float64Array>();
const levels = karras().levels(edm(), { steps: 5 });
const x = Float64Array.of(50, -30);

describe('trajectory', () => {
  test('yields every step with its level, prediction and count', async () => {
    const seen = [];
    for await (const { step, steps, at, nfe, denoised } of trajectory({ sampler: heun(), denoise, x, levels })) seen.push({ step, steps, sigma: at.sigma, nfe, size: denoised.length });
    expect(seen.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5]);
    expect(seen.map(({ nfe }) => nfe)).toEqual([2, 4, 6, 8, 9]);
    expect(seen.map(({ sigma }) => sigma)).toEqual(levels.slice(1).map(({ sigma }) => sigma));
    expect(seen.every(({ steps, size }) => steps === 5 && size === 2)).toBe(true);
  });

  test('counts what a denoiser says it costs', async () => {
    const guided: Denoiser<Float64Array> = Object.assign((...[state, at]: Parameters<typeof denoise>) => denoise(state, at), { nfe: () => 2 });
    let total = 0;
    for await (const { nfe } of trajectory({ sampler: heun(), denoise: guided, x, levels })) total = nfe;
    expect(total).toBe(18);
  });

  test('stops when told to, between evaluations', async () => {
    const controller = new AbortController();
    let calls = 0;
    const counted: Denoiser<Float64Array> = (state, at) => (calls++, denoise(state, at));
    const run = async () => {
      for await (const { step } of trajectory({ sampler: heun(), denoise: counted, x, levels, signal: controller.signal })) if (step === 2) controller.abort(new Error('enough'));
    };
    await expect(run()).rejects.toThrow('enough');
    expect(calls).toBe(4);
  });

  test('a loop may stop by itself', async () => {
    let calls = 0;
    const counted: Denoiser<Float64Array> = (state, at) => (calls++, denoise(state, at));
    for await (const { step } of trajectory({ sampler: euler(), denoise: counted, x, levels })) if (step === 3) break;
    expect(calls).toBe(3);
  });

  test('says what is missing or wrong', async () => {
    await expect(sample({ sampler: ddpm(), denoise, x, levels })).rejects.toThrow('[samplers/ddpm] the sampler draws noise and has none: noise=undefined. Pass noise: imageNoise({ seed: 0 })');
    const t = tensor([1, 2]);
    await expect(sample({ sampler: ddim(), denoise: (state: typeof t) => Promise.resolve(state), x: t, levels })).rejects.toThrow('Pass algebra: tensorAlgebra() for tensors.');
    await expect(sample({ sampler: ddim(), denoise: () => Promise.resolve(new Float64Array(3)), x, levels })).rejects.toThrow(
      "[samplers/trajectory] the denoiser's result cannot be used at step 1 of 5 of ddim: length 3, expected 2; at alpha=1, sigma=80. Return finite values in the form of x.",
    );
    await expect(sample({ sampler: ddim(), denoise, x, levels, resume: { step: 9, x, nfe: 0, state: ddim().init<Float64Array>() } })).rejects.toThrow('resume.step=9, steps=5. Pass the levels of that run.');
    expect(() => sigmaLevels([3, 0.31, 0.4])).toThrow('[samplers/levels] sigmas must be strictly decreasing: sigmas[1]=0.31, sigmas[2]=0.4. Build them with karrasSigmas().');
    expect(() => sigmaLevels([1])).toThrow('sigmas.length=1. Pass at least 2; karrasSigmas({ steps: 18 }) gives 19.');
    expect(() => sigmaLevels([1, -1])).toThrow('sigmas[1]=-1');
    expect(() => samplers.create('dim')).toThrow('[sampler] unknown sampler: "dim". Did you mean "ddim"? Known: ');
  });

  test('an option that a sampler does not have is refused by name, one of a plugin is its own to check', () => {
    expect(() => samplers.create('ddim', { ets: 1 })).toThrow('[sampler/ddim] unknown option: "ets". Did you mean "eta"? Known: eta, direction.');
    expect(() => samplers.create('lcm', { eta: 1 })).toThrow('[sampler/lcm] unknown option: "eta". It has no options.');
    expect(() => samplers.create('ddim', { toString: 1 })).toThrow('unknown option: "toString"');
    // Inherited, and joined from two types.
    expect(samplers.create('euler', { sChurn: 1 }).stochastic).toBe(true);
    expect(samplers.create('dpmpp-2s-ancestral', { eta: 0, r: 0.4 }).stochastic).toBe(false);
    const mine = samplers.with({ mine: ({ order = 1 }: { readonly order?: number } = {}) => defineSampler({ ...ddim(), name: 'mine', order }) });
    expect(mine.create('mine', { order: 2, more: true }).order).toBe(2);
    expect(() => mine.create('ddim', { ets: 1 })).toThrow('unknown option: "ets"');
  });

  test('18 steps of Heun on the EDM grid are 35 evaluations', async () => {
    let total = 0;
    for await (const { nfe } of trajectory({ sampler: heun(), denoise, x, levels: sigmaLevels(karrasSigmas({ steps: 18 })) })) total = nfe;
    expect(total).toBe(35);
  });

  test('a sampler of the caller joins the registry and runs', async () => {
    const jump = () =>
      defineSampler({
        name: 'jump',
        order: 1,
        stochastic: false,
        paper: 'none',
        step: async ({ x: state, from, to, denoise: ask, algebra }) => {
          const denoised = await ask(state, from);
          return { x: algebra.linear([to.alpha, denoised]), denoised };
        },
      });
    const mine = samplers.with({ jump });
    expect(await sample({ sampler: mine.create('jump'), denoise: () => Promise.resolve(Float64Array.of(1, 2)), x, levels: [levels[0]!, CLEAN] })).toEqual(Float64Array.of(1, 2));
  });
});

describe('noise', () => {
  const like = new Float32Array(32);
  const algebra = arrayAlgebra({ items: 2 });
  const request = { algebra, like, step: 3, draw: 0 } as const;

  test('of an image depends on seed, image, step and draw alone', async () => {
    const both = await imageNoise({ seed: 9, images: [5, 2] }).draw(request);
    const alone = await imageNoise({ seed: 9, images: [2] }).draw({ ...request, algebra: arrayAlgebra(), like: new Float32Array(16) });
    expect(both.slice(16)).toEqual(alone);
    for (const other of [{ step: 4 }, { draw: 1 }, { step: 'start' as const }]) expect(await imageNoise({ seed: 9, images: [5, 2] }).draw({ ...request, ...other })).not.toEqual(both);
    expect(await imageNoise({ seed: 10, images: [5, 2] }).draw(request)).not.toEqual(both);
  });

  test('is the same numbers whatever holds the state', async () => {
    const wide = await imageNoise({ seed: 9 }).draw({ ...request, like: new Float64Array(32) });
    expect(Array.from(wide)).toEqual(Array.from(await imageNoise({ seed: 9 }).draw(request)));
  });

  test('of torch is one draw for the batch, or one for each image', async () => {
    expect(await torchNoise(torchGenerator(0)).draw(request)).toEqual(torchGenerator(0).normal(32));
    const each = await torchNoise([torchGenerator(1), torchGenerator(2)]).draw(request);
    expect(each).toEqual(Float32Array.of(...torchGenerator(1).normal(16), ...torchGenerator(2).normal(16)));
    const one = torchNoise(torchGenerator(0));
    await one.draw(request);
    const reference = torchGenerator(0);
    reference.normal(32);
    expect(await one.draw(request)).toEqual(reference.normal(32));
  });

  test('needs as many names or generators as images', async () => {
    const outcome = async (draw: () => Promise<unknown>) => draw();
    await expect(outcome(() => imageNoise({ seed: 0, images: [1] }).draw(request))).rejects.toThrow('[samplers/noise] every image of the batch has a number: images.length=1, batch of 2.');
    await expect(outcome(() => torchNoise([torchGenerator(0)]).draw(request))).rejects.toThrow('generators=1, batch of 2.');
  });

  test('a start is sigma noise, plus alpha of an image where one is given', async () => {
    const noise = imageNoise({ seed: 4 });
    const at = { alpha: 0.6, sigma: 0.8 };
    const pure = await startState({ algebra, noise, at, like: new Float64Array(4) });
    const from = await startState({ algebra, noise, at, like: new Float64Array(4), x0: Float64Array.of(1, 1, 1, 1) });
    from.forEach((value, i) => expect(value).toBeCloseTo(pure[i]! + 0.6, 14));
  });
});
