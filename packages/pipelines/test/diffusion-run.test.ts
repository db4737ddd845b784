import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { readImage, writeImage } from '@langevin/io/node';
import { describeCheckpoint, diffusionRunFromConfig, loadModel, loadRunModel, sampleImages } from '@langevin/pipelines';
import { data, namedTensors, setDefaultEngine } from '@langevin/tensor';
import { parseTrainingConfig, train } from '@langevin/training';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { temporaryFolder, TINY_CONFIG } from './tiny.ts';

vi.setConfig({ testTimeout: 120_000 });
beforeAll(async () => setDefaultEngine(await onnxruntimeEngine({ threads: 1 })));

/** A folder of plain images in two classes, and a configuration that trains on them. */
async function setUp() {
  const root = await temporaryFolder();
  const folder = join(root, 'images');
  for (const [k, name] of ['dark', 'light'].entries()) {
    await mkdir(join(folder, name), { recursive: true });
    for (let i = 0; i < 3; i++)
      await writeImage(join(folder, name, `${i}.png`), {
        width: 8,
        height: 8,
        channels: 3,
        data: new Uint8Array(192).fill(40 + 160 * k + 10 * i),
      });
  }
  const config = parseTrainingConfig({
    name: 'greys',
    seed: 2,
    data: { name: 'image-folder', folder, size: 8 },
    patch: 2,
    backbone: { ...TINY_CONFIG, num_class_embeds: 2 },
    edm: { sigmaData: 0.6 },
    optimizer: { name: 'adamW', learningRate: 0.01 },
    batchSize: 3,
    average: { halfLifeImages: 20 },
  });
  return { config, run: join(root, 'run') };
}

describe('a run from its configuration', () => {
  it('trains, shows previews, and its model loads from the run folder', async () => {
    const { config, run } = await setUp();
    const { task, dataset, labels, parameters } = await diffusionRunFromConfig(config);
    expect(dataset.length).toBe(6);
    expect(labels).toEqual({ classes: ['dark', 'light'], categories: [] });
    for await (const event of train(task, { folder: run, steps: 4, previewEvery: 2, checkpointEvery: 2 }))
      if (event.kind === 'step') expect(Number.isFinite(event.metrics.loss)).toBe(true);

    expect(await readdir(join(run, 'previews'))).toEqual(['step-00000002.png', 'step-00000004.png']);
    // Two rows of eight images, each 16 pixels wide, with 2 between and around them.
    expect(await readImage(join(run, 'previews', 'step-00000004.png'))).toMatchObject({ width: 2 + 8 * 18, height: 2 + 2 * 18 });

    const average = await loadRunModel(run);
    const params = await loadRunModel(run, { weights: 'params' });
    expect(average).toMatchObject({
      name: 'greys',
      step: 4,
      model: { process: { sigmaData: 0.6 }, labels: { classes: ['dark', 'light'] } },
    });
    const weight = async (tree: unknown) => data(namedTensors(tree).get('conv_in.weight')!);
    expect(await weight(average.model.params)).not.toEqual(await weight(params.model.params));
    expect([...namedTensors(params.model.params).values()].reduce((sum, { size }) => sum + size, 0)).toBe(parameters);

    const found = await describeCheckpoint(run);
    expect(found).toMatchObject({ kind: 'run', step: 4, config: { name: 'greys' } });
    expect(found.prefixes.map(({ prefix }) => prefix)).toEqual(expect.arrayContaining(['params.conv_in', 'average.conv_in']));

    let images = 0;
    for await (const event of sampleImages({ model: await loadModel(run), labels: [0, 1], steps: 2 }))
      if (event.kind === 'done') images = event.images.length;
    expect(images).toBe(2);
  });

  it('is not disturbed by its previews', async () => {
    const losses = [];
    for (const previewEvery of [0, 1]) {
      const { config, run } = await setUp();
      const { task } = await diffusionRunFromConfig(config);
      const seen: number[] = [];
      for await (const event of train(task, { folder: run, steps: 3, previewEvery }))
        if (event.kind === 'step') seen.push(event.metrics.loss);
      losses.push(seen);
    }
    expect(losses[1]).toEqual(losses[0]);
  });

  it('without a checkpoint has no model', async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, 'checkpoints'));
    await expect(loadModel(folder)).rejects.toThrow(`[pipelines/run] run has no checkpoint: folder=${folder}.`);
  });
});

it('the sub-categories of emoji fall into their categories', async () => {
  const config = parseTrainingConfig({
    name: 'emoji',
    seed: 0,
    data: { name: 'emoji', size: 4, labels: 'subcategory', onlySubcategories: ['cat-face', 'food-fruit', 'food-sweet'] },
    patch: 1,
    backbone: { ...TINY_CONFIG, sample_size: 4, in_channels: 3, out_channels: 3, num_class_embeds: 3 },
    optimizer: { name: 'adam', learningRate: 1 },
    batchSize: 1,
    average: { std: 0.1 },
  });
  const { labels } = await diffusionRunFromConfig(config);
  expect(labels).toEqual({
    classes: ['cat-face', 'food-fruit', 'food-sweet'],
    categories: [
      { name: 'Smileys & Emotion', classes: [0] },
      { name: 'Food & Drink', classes: [1, 2] },
    ],
  });
});
