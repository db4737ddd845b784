import { combineDenoisers, defineDenoiser, CLEAN, declareOptions, defineSampler, type Denoiser, type Run } from '@langevin/core';
import { arrayAlgebra, edm, karras, karrasSigmas, tensorAlgebra } from '@langevin/core-schedules';
import { threeModes } from '@langevin/core-schedules/testing';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import {
  ddim,
  ddpm,
  euler,
  heun,
  imageNoise,
  invert,
  parallelTrajectory,
  sample,
  samplers,
  sigmaLevels,
  startState,
  torchNoise,
  trajectory,
} from '@langevin/samplers';
import { tensor, torchGenerator, UserError, type Tensor } from '@langevin/tensor';
import { describe, expect, expectTypeOf, test } from 'vitest';

const engine = await onnxruntimeEngine({ device: 'cpu', threads: 1 });
const denoise = threeModes().denoiser<Float64Array>();
const levels = karras().levels(edm(), { steps: 5 });
const x = Float64Array.of(50, -30);

describe('trajectory', () => {
  test('yields every step with its level, prediction and count', async () => {
    const seen = [];
    for await (const { step, steps, at, nfe, denoised } of trajectory({ sampler: heun(), denoise, x, levels }))
      seen.push({ step, steps, sigma: at.sigma, nfe, size: denoised.length });
    expect(seen.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5]);
    expect(seen.map(({ nfe }) => nfe)).toEqual([2, 4, 6, 8, 9]);
    expect(seen.map(({ sigma }) => sigma)).toEqual(levels.slice(1).map(({ sigma }) => sigma));
    expect(seen.every(({ steps, size }) => steps === 5 && size === 2)).toBe(true);
  });

  test('counts what a denoiser says it costs', async () => {
    const guided = combineDenoisers([denoise, denoise], ([{ denoised }]) => ({ denoised }));
    let total = 0;
    for await (const { nfe } of trajectory({ sampler: heun(), denoise: guided, x, levels })) total = nfe;
    expect(total).toBe(18);
  });

  test('refuses a plain function, of which it would not know what a call costs', async () => {
    const plain = ((state, at) => denoise(state, at)) as typeof denoise;
    await expect(sample({ sampler: heun(), denoise: plain, x, levels })).rejects.toThrow(
      '[samplers/trajectory] this is no denoiser: denoise=a plain function. Make one of a function (x, at) => prediction by '
        + 'defineDenoiser({ nfe: 1, denoise })',
    );
  });

  test('is a run, as what receives one knows it', async () => {
    expectTypeOf(trajectory).toExtend<Run>();
    expectTypeOf(parallelTrajectory).toExtend<Run>();
    const last = async (run: Run): Promise<Float64Array | undefined> => {
      let end: Float64Array | undefined;
      for await (const step of run({ sampler: ddim(), denoise, x, levels })) end = step.x;
      return end;
    };
    expect(await last(trajectory)).toEqual(await sample({ sampler: ddim(), denoise, x, levels }));
  });

  test('stops when told to, between evaluations', async () => {
    const controller = new AbortController();
    let calls = 0;
    const counted = defineDenoiser<Float64Array>({ nfe: 1, denoise: (state, at) => (calls++, denoise(state, at)) });
    const run = async () => {
      for await (const { step } of trajectory({ sampler: heun(), denoise: counted, x, levels, signal: controller.signal }))
        if (step === 2) controller.abort(new Error('enough'));
    };
    await expect(run()).rejects.toThrow('enough');
    expect(calls).toBe(4);
  });

  test('a loop may stop by itself', async () => {
    let calls = 0;
    const counted = defineDenoiser<Float64Array>({ nfe: 1, denoise: (state, at) => (calls++, denoise(state, at)) });
    for await (const { step } of trajectory({ sampler: euler(), denoise: counted, x, levels })) if (step === 3) break;
    expect(calls).toBe(3);
  });

  test('says what is missing or wrong', async () => {
    await expect(sample({ sampler: ddpm(), denoise, x, levels })).rejects.toThrow(
      '[samplers/ddpm] the sampler draws noise and has none: noise=undefined. Pass noise: imageNoise({ seed: 0 })',
    );
    const t = tensor([1, 2]);
    await expect(
      sample({
        sampler: ddim(),
        denoise: defineDenoiser<Tensor>({ nfe: 1, denoise: (state: typeof t) => Promise.resolve(state) }),
        x: t,
        levels,
      }),
    ).rejects.toThrow('Pass algebra: tensorAlgebra() for tensors.');
    await expect(
      sample({
        sampler: ddim(),
        denoise: defineDenoiser<Float64Array>({ nfe: 1, denoise: () => Promise.resolve(new Float64Array(3)) }),
        x,
        levels,
      }),
    ).rejects.toThrow(
      "[samplers/trajectory] the denoiser's result cannot be used at step 1 of 5 of ddim: length 3, expected 2; at alpha=1, "
        + 'sigma=80. Return finite values in the form of x.',
    );
    await expect(
      sample({ sampler: ddim(), denoise, x, levels, resume: { step: 9, x, nfe: 0, state: ddim().init<Float64Array>() } }),
    ).rejects.toThrow('resume.step=9. The run has 5 steps: pass the levels of the one to resume.');
    expect(() => sigmaLevels([3, 0.31, 0.4])).toThrow(
      '[samplers/levels] sigmas must be strictly decreasing: sigmas[1]=0.31, sigmas[2]=0.4. Build them with karrasSigmas().',
    );
    expect(() => sigmaLevels([1])).toThrow('sigmas.length=1. Pass at least 2; karrasSigmas({ steps: 18 }) gives 19.');
    expect(() => sigmaLevels([1, -1])).toThrow('sigmas[1]=-1');
    expect(() => samplers.create('dim')).toThrow('[sampler] unknown sampler: "dim". Did you mean "ddim"? Known: ');
  });

  test('an option that a sampler does not have is refused by name, in a plugin as well', () => {
    expect(() => samplers.create('ddim', { ets: 1 })).toThrow(
      '[sampler/ddim] unknown option: "ets". Did you mean "eta"? Known: eta, direction.',
    );
    expect(() => samplers.create('lcm', { eta: 1 })).toThrow('[sampler/lcm] unknown option: "eta". It has no options.');
    expect(() => samplers.create('ddim', { toString: 1 })).toThrow('unknown option: "toString"');
    // Inherited, and joined from two types.
    expect(samplers.create('euler', { sChurn: 1 }).stochastic).toBe(true);
    expect(samplers.create('dpmpp-2s-ancestral', { eta: 0, r: 0.4 }).stochastic).toBe(false);
    const plain = ({ order = 1 }: { readonly order?: number } = {}) => defineSampler({ ...ddim(), name: 'mine', order });
    const mine = samplers.with({ mine: declareOptions(plain, ['order']), plain });
    expect(mine.create('mine', { order: 2 }).order).toBe(2);
    expect(mine.optionsOf('mine')).toEqual(['order']);
    expect(mine.optionsOf('heun')).toEqual(['sChurn', 'sTMin', 'sTMax', 'sNoise']);
    expect(() => mine.create('mine', { odrer: 2 })).toThrow('[sampler/mine] unknown option: "odrer". Did you mean "order"? Known: order.');
    expect(() => mine.create('plain', { foo: 1 })).toThrow(
      '[sampler/plain] unknown option: "foo". It declares no options; a plugin names its own with declareOptions().',
    );
    for (const wrong of [null, 3, 'order', [3]] as never[]) {
      expect(() => mine.create('mine', wrong)).toThrow(UserError);
      expect(() => declareOptions(plain, wrong)).toThrow(UserError);
      expect(() => samplers.with({ other: wrong })).toThrow('[sampler] an entry of a registry is a function that makes it: other=');
      expect(() => samplers.create(wrong)).toThrow('[sampler] unknown sampler: ');
    }
    expect(() => mine.create('ddim', { ets: 1 })).toThrow('unknown option: "ets"');
  });

  test.each<readonly [name: string, options: object, message: string]>([
    ['ddim', { eta: '1' }, '[samplers/ddim] eta is out of range: eta="1". Pass 0 for the deterministic sampler, 1 for DDPM.'],
    [
      'tcd',
      { process: 1 },
      '[samplers/tcd] wrong kind of option: process=1. Pass the process on which the network was trained, such as vpLinear().',
    ],
    ['deis', { process: 3 }, '[samplers/deis] wrong kind of option: process=3. Pass the process'],
    ['deis', { process: { time: 1, level: 2 } }, 'wrong kind of option: process=an object.'],
    ['restart', { intervals: 3 }, '[samplers/restart] wrong kind of option: intervals=3. Pass a list of { sigmaMin, sigmaMax, repeats }.'],
    ['restart', { intervals: [null] }, 'wrong kind of option: intervals=a list.'],
    ['restart', { base: 'ddim' }, '[samplers/restart] wrong kind of option: base="ddim". Pass a sampler, such as ddim().'],
    ['repaint', { base: 'ddim' }, '[samplers/repaint] wrong kind of option: base="ddim". Pass a sampler, such as ddim().'],
    ['repaint', { known: 3 }, '[samplers/repaint] wrong kind of option: known=3. Pass { mask, image }: lists of numbers.'],
    ['repaint', { jumpLength: '10' }, 'jumpLength is out of range: jumpLength="10".'],
    ['euler-maruyama', { rates: 1 }, '[samplers/euler-maruyama] wrong kind of option: rates=1. Pass { growth, added }'],
    ['euler-maruyama', { rates: { growth: 1, added: -1 } }, 'rates.added is out of range: rates.added=-1.'],
    ['heun', { sTMin: '1' }, '[samplers/heun] sTMin is out of range: sTMin="1".'],
    ['sa-solver', { tau: '1' }, '[samplers/sa-solver] tau is out of range: tau="1".'],
    ['dpmpp-2s', { r: '0.5' }, '[samplers/dpmpp-2s] r is out of range: r="0.5".'],
    [
      'ddpm',
      { variance: 3 },
      '[samplers/ddpm] unknown variance: variance=3. Known: small, large, learned, learned-range, or a function of the level.',
    ],
  ])('%s refuses %o', (name, options, message) => {
    expect(() => samplers.create(name, options)).toThrow(message);
    expect(() => samplers.create(name, options)).toThrow(UserError);
  });

  describe.each<readonly [number: string, value: number]>([
    ['NaN', Number.NaN],
    ['Infinity', Infinity],
  ])('%s over tensors', (_, bad) => {
    const algebra = tensorAlgebra({ engine });
    const start = tensor([50, -30, 20, 10], { shape: [2, 2] });
    const zero = tensor([0, 0, 0, 0], { shape: [2, 2] });
    /** Fails on the second image from the third evaluation on. */
    const failing = (): Denoiser<Tensor> => {
      let calls = 0;
      return defineDenoiser<Tensor>({ nfe: 1, denoise: () => (++calls < 3 ? zero : tensor([0, 0, 0, bad], { shape: [2, 2] })) });
    };
    const run = (finite?: 'steps' | 'end') =>
      sample({ sampler: ddim(), denoise: failing(), x: start, levels, algebra, ...(finite && { finite }) });

    test('is seen at the end of a run, and steps are named on demand', async () => {
      await expect(run()).rejects.toThrow(
        '[samplers/trajectory] the state holds NaN or Infinity after step 5 of 5 of ddim: images 1 of the batch. Pass finite: '
          + "'steps' to learn which step is the first.",
      );
      await expect(run('steps')).rejects.toThrow(
        "[samplers/trajectory] the denoiser's result cannot be used at step 3 of 5 of ddim: images 1 of the batch hold NaN or "
          + 'Infinity; at alpha=1, sigma=',
      );
      await expect(run('never' as 'end')).rejects.toThrow('[samplers/trajectory] unknown finite: finite="never". Known: steps, end.');
    });

    test('is seen in runs of several steps at once', async () => {
      const go = async (): Promise<void> => {
        for await (const { nfe } of parallelTrajectory({
          sampler: ddim(),
          denoise: defineDenoiser<Tensor>({ nfe: 1, denoise: (x) => Promise.resolve(algebra.linear([bad, x])) }),
          x: start,
          levels,
          algebra,
          tolerance: 0,
        }))
          expect(nfe).toBeGreaterThan(0);
      };
      await expect(go()).rejects.toThrow('the state holds NaN or Infinity after steps');
    });

    test('is seen in inversion', async () => {
      const rising = levels.slice(0, -1).toReversed();
      await expect(invert({ denoise: failing(), x: start, levels: rising, algebra })).rejects.toThrow(
        'the state holds NaN or Infinity after step 4 of 4 of ddim towards noise',
      );
    });

    test('of a sampler itself is told from that of a denoiser', async () => {
      const broken = defineSampler({
        ...ddim(),
        step: ({ x: state }) => Promise.resolve({ x: algebra.linear([bad, state as Tensor]), denoised: state }) as never,
      });
      await expect(sample({ sampler: broken, denoise: failing(), x: start, levels, algebra, finite: 'steps' })).rejects.toThrow(
        'All predictions were finite: look at the sampler and its noise.',
      );
    });
  });

  test('large finite tensors are no failure', async () => {
    const algebra = tensorAlgebra({ engine });
    const large = tensor([1e30, -3e38, 0, 1e-30], { shape: [2, 2] });
    const end = await sample({
      sampler: ddim(),
      denoise: defineDenoiser<Tensor>({ nfe: 1, denoise: () => Promise.resolve(large) }),
      x: large,
      levels,
      algebra,
      finite: 'steps',
    });
    expect(Array.from(await algebra.toHost(end))).toEqual(Array.from(Float32Array.of(1e30, -3e38, 0, 1e-30)));
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
    expect(
      await sample({
        sampler: mine.create('jump'),
        denoise: defineDenoiser<Float64Array>({ nfe: 1, denoise: () => Promise.resolve(Float64Array.of(1, 2)) }),
        x,
        levels: [levels[0]!, CLEAN],
      }),
    ).toEqual(Float64Array.of(1, 2));
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
    for (const other of [{ step: 4 }, { draw: 1 }, { step: 'start' as const }])
      expect(await imageNoise({ seed: 9, images: [5, 2] }).draw({ ...request, ...other })).not.toEqual(both);
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
    await expect(outcome(() => imageNoise({ seed: 0, images: [1] }).draw(request))).rejects.toThrow(
      '[samplers/noise] every image of the batch has a number: images.length=1, batch of 2.',
    );
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
