import { cfg } from '@langevin/guidance';
import { networkDenoiser } from '@langevin/diffusion';
import { combineDenoisers } from '@langevin/core';
import { edm, edmPreconditioning, karras, precondition, arrayAlgebra } from '@langevin/core-schedules';
import { toImages, type Image } from '@langevin/io';
import { sampleImages, type SampleImagesOptions, type SampleStep } from '@langevin/pipelines';
import { ddpm, euler, heun, imageNoise, sample, startState } from '@langevin/samplers';
import { add, mul } from '@langevin/tensor';
import { referenceEngine } from '@langevin/tensor/testing';
import { describe, expect, it, vi } from 'vitest';
import { TINY_CONFIG, tinyModel } from './tiny.ts';

vi.setConfig({ testTimeout: 60_000 });

const engine = referenceEngine({ precision: 'float32' });

async function run(options: SampleImagesOptions) {
  const steps: SampleStep[] = [];
  let images: readonly Image[] = [];
  let nfe = 0;
  for await (const event of sampleImages({ engine, steps: 3, ...options })) {
    if (event.kind === 'step') steps.push(event);
    else ({ images, nfe } = event);
  }
  return { steps, images, nfe, bytes: images.map(({ data }) => [...data]) };
}

describe('sampleImages', () => {
  it('gives what the samplers give on the host, for a network that answers zero', async () => {
    const { images } = await run({ model: tinyModel('zero'), labels: [0, 3], seed: 9, sampler: heun(), steps: 6 });
    // The same without tensors, models and batches: float64 sums over arrays, images keyed by their number.
    const algebra = arrayAlgebra({ items: 2 });
    const process = edm({ sigmaMin: 0.002, sigmaMax: 80, rho: 7 });
    const levels = karras({ rho: 7 }).levels(process, { steps: 6 });
    const denoise = precondition<Float32Array | Float64Array>({
      network: (x) => x.map(() => 0),
      preconditioning: edmPreconditioning({ sigmaData: 0.7 }),
      algebra,
    });
    const x = await startState({
      algebra,
      noise: imageNoise({ seed: 9, images: [0, 1] }),
      at: levels[0]!,
      like: new Float64Array(2 * 3 * 64),
    });
    const expected = toImages({
      data: Float32Array.from(await sample({ sampler: heun(), denoise, x, levels, algebra })),
      shape: [2, 3, 8, 8],
    });
    const worst = images.map((image, i) => Math.max(...image.data.map((byte, j) => Math.abs(byte - expected[i]!.data[j]!))));
    // Float32 against float64 may differ where a value lies at the edge between two bytes.
    expect(Math.max(...worst)).toBeLessThanOrEqual(1);
    expect(images.every(({ width, height, channels }) => width === 8 && height === 8 && channels === 3)).toBe(true);
  });

  it('gives an image that does not depend on the batch it is in, nor on the number of images', async () => {
    const model = tinyModel();
    for (const sampler of [heun(), ddpm()]) {
      const labels = [0, 1, 2, 3, 1];
      const { bytes: together } = await run({ model, labels, sampler, seed: 4 });
      const { bytes: alone } = await run({ model, labels, sampler, seed: 4, batch: 1 });
      // Two batches of three; the last holds one image that nobody asked for.
      const { bytes: halves, steps } = await run({ model, labels, sampler, seed: 4, batch: 4 });
      expect(alone).toEqual(together);
      expect(halves).toEqual(together);
      expect(steps.map(({ batch, step }) => `${batch}.${step}`)).toEqual(['1.1', '1.2', '1.3', '2.1', '2.2', '2.3']);
      expect(new Set(together.map(String)).size).toBe(5);
    }
  });

  it('depends on seed, label and nothing else', async () => {
    const model = tinyModel();
    const [first, again, seeded, labelled] = [
      await run({ model, labels: [0], seed: 1 }),
      await run({ model, labels: [0], seed: 1 }),
      await run({ model, labels: [0], seed: 2 }),
      await run({ model, labels: [1], seed: 1 }),
    ];
    expect(again.bytes).toEqual(first.bytes);
    expect(seeded.bytes).not.toEqual(first.bytes);
    expect(labelled.bytes).not.toEqual(first.bytes);
  });

  it('compiles the forward pass once for all steps, batches and runs', async () => {
    const model = tinyModel();
    const compiled = networkDenoiser({ network: model.network, params: model.params, noise: model.noise, engine });
    for (const seed of [1, 2]) await run({ model, labels: [0, 1, 2, 3], batch: 2, seed, compiled });
    expect(compiled.traces()).toBe(1);
  });

  it('feeds weights instead of building them in, to the same images', async () => {
    const model = tinyModel();
    const compiled = networkDenoiser({ network: model.network, params: model.params, noise: model.noise, engine, weights: 'input' });
    const { bytes } = await run({ model, labels: [2], compiled });
    expect(bytes).toEqual((await run({ model, labels: [2] })).bytes);
    const other = tinyModel('zero');
    const changed = await run({ model: other, labels: [2], compiled: compiled.withParams(other.params) });
    expect(changed.bytes).toEqual((await run({ model: other, labels: [2] })).bytes);
    expect(compiled.traces()).toBe(1);
  });

  it('counts evaluations of each image, and shows what the network sees', async () => {
    const { nfe, steps } = await run({ model: tinyModel(), labels: [0, 1], steps: 4, batch: 1 });
    expect(nfe).toBe(7);
    expect(steps.map((step) => step.nfe)).toEqual([2, 4, 6, 7, 2, 4, 6, 7]);
    const preview = await steps[3]!.preview();
    expect(preview).toHaveLength(1);
    expect((await run({ model: tinyModel(), labels: [0], steps: 4, sampler: euler() })).nfe).toBe(4);
  });

  it('samples models without classes by number', async () => {
    const { num_class_embeds: _, ...config } = TINY_CONFIG;
    expect((await run({ model: tinyModel('random', config), labels: 3 })).images).toHaveLength(3);
    await expect(run({ model: tinyModel('random', config), labels: [0] })).rejects.toThrow(
      '[pipelines/sample] model knows no classes: 1 labels given.',
    );
  });

  it('stops between evaluations when it is aborted', async () => {
    const stop = new AbortController();
    const work = async (): Promise<number> => {
      let done = 0;
      for await (const event of sampleImages({ engine, model: tinyModel(), labels: [0], steps: 9, signal: stop.signal })) {
        if (event.kind === 'step') done = event.step;
        if (done === 2) stop.abort(new Error('enough'));
      }
      return done;
    };
    await expect(work()).rejects.toThrow('enough');
  });

  it.each([
    [{ labels: [4] }, "[pipelines/sample] label is not one of the model's: label=4, classes=4. Give integers from 0 to 3, or names."],
    [{ labels: [0.5] }, 'label=0.5'],
    [{ labels: [] }, '[pipelines/sample] images is out of range: images=0. Ask for 1 to 1000000.'],
    [{ labels: 3 }, '[pipelines/sample] model wants a class for each image: labels=3, classes=4.'],
    [{ labels: [0], batch: 0 }, '[pipelines/sample] batch is out of range: batch=0'],
    [{ labels: [0], steps: 0 }, 'steps=0'],
    [{ labels: ['kat'] }, '[pipelines/sample] label is not one of the model\'s: label="kat". Did you mean "cat"? The model has 4 classes'],
    [{ labels: ['animals'] }, 'It is a category: draw classes of it with drawLabels().'],
    [
      { labels: [0], startSigma: 100 },
      '[pipelines/sample] start level is not within those of the run: startSigma=100, levels go from 80 to 0.',
    ],
    [{ labels: [0], startSigma: 0 }, '[pipelines/sample] startSigma is out of range: startSigma=0. Pass a number > 0.'],
    [{ labels: [0], pictures: [] }, 'there is not a picture for each image: pictures=0, images=1. Give as many.'],
    [
      { labels: [0], pictures: [{ width: 8, height: 8, channels: 1, data: new Uint8Array(64) }] },
      "picture does not have the model's form: pictures[0] is 8x8 with 1 channels, the model wants 8x8 with 3.",
    ],
    [{ labels: [0], ...({ seeds: 4 } as object) }, 'unknown option: seeds. Did you mean "seed"? Known: model, labels, seed'],
  ] satisfies readonly [Partial<SampleImagesOptions>, string][])('refuses %j', async (options, message) => {
    await expect(run({ model: tinyModel(), ...options })).rejects.toThrow(message);
  });
});

it.each([[null], [undefined], [[]], [3], [{}], [{ model: null, labels: [0] }], [{ model: {}, labels: [0] }]])(
  'what is no object of options is refused as such: %j',
  async (options) => {
    const work = async (): Promise<unknown> => sampleImages(options as unknown as SampleImagesOptions).next();
    await expect(work()).rejects.toThrow(/^\[pipelines\/(?:sample|model)\] /);
  },
);

describe('every part is an argument', () => {
  it('labels by name are those by number', async () => {
    const model = tinyModel();
    const byName = await run({ model, labels: ['oak', 0, 'dog'] });
    expect(byName.bytes).toEqual((await run({ model, labels: [3, 0, 1] })).bytes);
  });

  it('a source of noise of your own: the default one, given by hand, makes the same images, another one others', async () => {
    const options = { model: tinyModel(), labels: [0, 1], sampler: ddpm(), seed: 3 };
    const usual = await run(options);
    const given = await run({ ...options, noise: ({ seed, images }) => imageNoise({ seed, images }) });
    expect(given.bytes).toEqual(usual.bytes);
    const other = await run({ ...options, noise: ({ images }) => imageNoise({ seed: 99, images }) });
    expect(other.bytes).toEqual((await run({ ...options, seed: 99 })).bytes);
  });

  it('a wrapper of the denoiser: one that changes nothing, and guidance between two classes', async () => {
    const options = { model: tinyModel(), labels: [0, 1], seed: 3 };
    const usual = await run(options);
    expect((await run({ ...options, denoiser: (denoise) => denoise })).bytes).toEqual(usual.bytes);
    // D = U + w (D - U): at w = 0 it is U, the run of the other classes.
    const guided =
      (weight: number): NonNullable<SampleImagesOptions['denoiser']> =>
      (denoise, { denoiserOf, images }) =>
        combineDenoisers([denoise, denoiserOf(images.map(() => 2))], ([{ denoised: d }, { denoised: u }]) => ({
          denoised: add(mul(d, weight), mul(u, 1 - weight)),
        }));
    expect((await run({ ...options, denoiser: guided(1) })).bytes).toEqual(usual.bytes);
    const away = await run({ ...options, denoiser: guided(0) });
    expect(away.bytes).toEqual((await run({ ...options, labels: [2, 2] })).bytes);
    expect(away.nfe).toBe(2 * usual.nfe);
  });

  it('guidance: the rule by hand, with the same evaluations; away from a class of your own', async () => {
    const options = { model: tinyModel(), labels: [0, 1], seed: 3, steps: 4 };
    const usual = await run(options);
    const byHand = await run({
      ...options,
      denoiser: (denoise, { denoiserOf, images }) =>
        combineDenoisers([denoise, denoiserOf(images.map(() => 2))], ([{ denoised: d }, { denoised: u }]) => ({
          denoised: add(mul(d, 3), mul(u, -2)),
          unconditional: u,
        })),
    });
    const guided = await run({ ...options, guidance: cfg({ scale: 3 }), negative: 2 });
    expect(guided.bytes).toEqual(byHand.bytes);
    expect(guided.bytes).not.toEqual(usual.bytes);
    expect([guided.nfe, byHand.nfe]).toEqual([2 * usual.nfe, 2 * usual.nfe]);
    const plain = await run({ ...options, guidance: cfg({ scale: 1 }) });
    expect([plain.bytes, plain.nfe]).toEqual([usual.bytes, usual.nfe]);
    await expect(run({ ...options, guidance: cfg() })).rejects.toThrow('[guidance/cfg] nothing stands for no condition');
    await expect(run({ ...options, negative: 2 })).rejects.toThrow('does nothing without guidance: negative=2');
    await expect(run({ ...options, guidance: {} as never })).rejects.toThrow('[pipelines/sample] this is no guidance');
    await expect(run({ ...options, guidance: cfg(), negative: 99 })).rejects.toThrow("label is not one of the model's: label=99");
  });

  it('a picture and a start level: with little noise on it the picture stays, with all of it nothing is left', async () => {
    const model = tinyModel('zero');
    const picture: Image = { width: 8, height: 8, channels: 3, data: Uint8Array.from({ length: 192 }, (_, i) => 40 + (i % 160)) };
    const options = { model, labels: [0, 1], pictures: [picture, picture], steps: 6 };
    // A network that answers zero takes cSkip x for x0; at a level far below that of the data it is x itself.
    const near = await run({ ...options, startSigma: 0.004 });
    for (const bytes of near.bytes) expect(Math.max(...bytes.map((byte, i) => Math.abs(byte - picture.data[i]!)))).toBeLessThanOrEqual(3);
    expect(near.nfe).toBeLessThan((await run(options)).nfe);
    const far = await run(options);
    expect(Math.max(...far.bytes[0]!.map((byte, i) => Math.abs(byte - picture.data[i]!)))).toBeGreaterThan(60);
    // The level of the whole run is no level less.
    expect((await run({ model, labels: [0], steps: 6, startSigma: 80 })).bytes).toEqual(
      (await run({ model, labels: [0], steps: 6 })).bytes,
    );
  });
});
