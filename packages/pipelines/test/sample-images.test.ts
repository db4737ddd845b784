import { edm, edmPreconditioning, karras, precondition, arrayAlgebra } from '@langevin/core-schedules';
import { toImages, type Image } from '@langevin/io';
import { compileForward, sampleImages, type SampleImagesOptions, type SampleStep } from '@langevin/pipelines';
import { ddpm, euler, heun, imageNoise, sample, startState } from '@langevin/samplers';
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
    const forward = compileForward(model.backbone, { engine });
    for (const seed of [1, 2]) await run({ model, labels: [0, 1, 2, 3], batch: 2, seed, forward });
    expect(forward.traces()).toBe(1);
  });

  it('feeds weights instead of building them in, to the same images', async () => {
    const model = tinyModel();
    const forward = compileForward(model.backbone, { engine, weights: 'input' });
    const { bytes } = await run({ model, labels: [2], forward });
    expect(bytes).toEqual((await run({ model, labels: [2] })).bytes);
    await run({ model: { ...model, params: tinyModel('zero').params }, labels: [2], forward });
    expect(forward.traces()).toBe(1);
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
    [{ labels: [4] }, "[pipelines/sample] label is not one of the model's: label=4, classes=4. Give integers from 0 to 3."],
    [{ labels: [0.5] }, 'label=0.5'],
    [{ labels: [] }, '[pipelines/sample] number of images is out of range: images=0'],
    [{ labels: 3 }, '[pipelines/sample] model wants a class for each image: labels=3, classes=4.'],
    [{ labels: [0], batch: 0 }, '[pipelines/sample] batch is out of range: batch=0'],
    [{ labels: [0], steps: 0 }, 'steps=0'],
  ])('refuses %j', async (options, message) => {
    await expect(run({ model: tinyModel(), ...options })).rejects.toThrow(message);
  });
});
